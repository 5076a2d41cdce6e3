"""The routes of pictures as data, for the OpenAPI document."""

from protocol.openai.image_edits import ImageEditRequest, ImageVariationRequest
from protocol.openai.images import ImageCompleted, ImageEditCompleted, ImageRequest, ImagesAnswer
from protocol.openapi import Events, Form, Operation

_JSON, _SSE, _FORM = "application/json", "text/event-stream", "multipart/form-data"
_FAILURES = (400, 401, 403, 404, 413, 429, 500, 502, 503, 504)

IMAGES = (
    Operation(
        id="createImage",
        method="POST",
        path="/v1/images/generations",
        tag="Images",
        summary="Draw pictures from words",
        description="Behind a `url` a picture can be read for a day.",
        request={_JSON: ImageRequest},
        examples={_JSON: {"model": "gpt-image-1", "prompt": "A lighthouse in the rain", "size": "1024x1024"}},
        answer={_JSON: ImagesAnswer, _SSE: Events(record=ImageCompleted)},
        failures=_FAILURES,
    ),
    Operation(
        id="createImageEdit",
        method="POST",
        path="/v1/images/edits",
        tag="Images",
        summary="Draw pictures from words and other pictures",
        description="In a form the pictures are files named `image` or `image[]`, up to sixteen.",
        request={_FORM: Form(record=ImageEditRequest, file="image"), _JSON: ImageEditRequest},
        examples={_FORM: {"model": "gpt-image-1", "prompt": "Make it night"}},
        answer={_JSON: ImagesAnswer, _SSE: Events(record=ImageEditCompleted)},
        failures=_FAILURES,
    ),
    Operation(
        id="createImageVariation",
        method="POST",
        path="/v1/images/variations",
        tag="Images",
        summary="Draw pictures like another one",
        request={_FORM: Form(record=ImageVariationRequest, file="image"), _JSON: ImageVariationRequest},
        examples={_FORM: {"n": 2}},
        answer={_JSON: ImagesAnswer},
        failures=_FAILURES,
    ),
)
