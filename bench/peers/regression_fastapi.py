"""sentence-transformers and logistic regression in FastAPI. Arguments: model folder, file of rows, port."""

import sys

from embedding_classifier import EmbeddingClassifier
from fastapi_app import serve

if __name__ == "__main__":
    model_folder, rows_file, port = sys.argv[1:]
    classifier = EmbeddingClassifier(model_folder, rows_file)
    serve(lambda text: classifier.predict([text])[0], int(port))
