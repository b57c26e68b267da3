"""Links have the prefix of a proxy, and name the documentation only where it is shown."""

from windrow.http.links import link, see_docs
from windrow.settings import Settings


def test_a_link_has_the_prefix() -> None:
    assert link(Settings(root_path="/a/b"), "/docs") == "/a/b/docs"
    assert link(Settings(), "/docs") == "/docs"


def test_the_documentation_is_named_where_it_is_shown() -> None:
    assert see_docs(Settings(root_path="/a"), "all.") == " /a/docs shows all."
    assert see_docs(Settings(), "all", "; ") == "; /docs shows all"
    assert see_docs(Settings(docs=False), "all.") == ""
