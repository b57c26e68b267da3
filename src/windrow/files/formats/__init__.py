"""The files of labelling tools and hosted classifiers: a module for each format, which all are read in one form."""
