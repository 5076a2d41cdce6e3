"""The routes of videos as data, for the OpenAPI document."""

from protocol.openai.video_answers import Generation, GenerationTask, VideoDeleted, VideoObject, VideoPage
from protocol.openai.videos import RemixRequest, VideoRequest
from protocol.openapi import BYTES, Form, Operation, Parameter

_JSON = "application/json"
_FAILURES = (400, 401, 403, 404, 413, 429, 500, 502, 503, 504)
_ID = Parameter(name="video_id", where="path", description="Its id.")
_ASKED = {
    _JSON: VideoRequest,
    "multipart/form-data": Form(record=VideoRequest, file="input_reference"),
    "application/x-www-form-urlencoded": VideoRequest,
}

VIDEOS = (
    Operation(
        id="createVideo",
        method="POST",
        path="/v1/videos",
        tag="Videos",
        summary="Have a video made",
        description="It takes minutes: ask for it again until its status is completed or failed.",
        request=_ASKED,
        examples={_JSON: {"model": "sora-2", "prompt": "A cat on a piano", "seconds": "4", "size": "1280x720"}},
        answer={_JSON: VideoObject},
        failures=_FAILURES,
    ),
    Operation(
        id="listVideos",
        method="GET",
        path="/v1/videos",
        tag="Videos",
        summary="List the caller's videos",
        parameters=(
            Parameter(
                name="limit",
                where="query",
                description="At most so many; 20 if not told.",
                schema={"type": "integer", "minimum": 0, "maximum": 100, "default": 20},
            ),
            Parameter(
                name="after", where="query", description="Go on behind this id, the `last_id` of the page before."
            ),
            Parameter(
                name="order",
                where="query",
                description="Oldest or newest first.",
                schema={"type": "string", "enum": ["asc", "desc"], "default": "desc"},
            ),
        ),
        answer={_JSON: VideoPage},
        failures=_FAILURES,
    ),
    Operation(
        id="retrieveVideo",
        method="GET",
        path="/v1/videos/{video_id}",
        tag="Videos",
        summary="Tell how a video stands",
        parameters=(_ID,),
        answer={_JSON: VideoObject},
        failures=_FAILURES,
    ),
    Operation(
        id="deleteVideo",
        method="DELETE",
        path="/v1/videos/{video_id}",
        tag="Videos",
        summary="Forget a video; one that has not begun is not made",
        parameters=(_ID,),
        answer={_JSON: VideoDeleted},
        failures=_FAILURES,
    ),
    Operation(
        id="downloadVideo",
        method="GET",
        path="/v1/videos/{video_id}/content",
        tag="Videos",
        summary="Give the video, or its first picture",
        description="A `Range` header is answered with that part. The vendor keeps a video for a day.",
        parameters=(
            _ID,
            Parameter(
                name="variant",
                where="query",
                description="What to give.",
                schema={"type": "string", "enum": ["video", "thumbnail"], "default": "video"},
            ),
        ),
        answer={"video/mp4": BYTES, "image/webp": BYTES},
        failures=_FAILURES,
    ),
    Operation(
        id="remixVideo",
        method="POST",
        path="/v1/videos/{video_id}/remix",
        tag="Videos",
        summary="Make a video again with other words",
        parameters=(_ID,),
        request={_JSON: RemixRequest},
        examples={_JSON: {"prompt": "The same, at night"}},
        answer={_JSON: VideoObject},
        failures=_FAILURES,
    ),
    Operation(
        id="createVideoGeneration",
        method="POST",
        path="/v1/video/generations",
        tag="Videos",
        summary="Have a video made, in NewAPI's words",
        request=_ASKED,
        examples={_JSON: {"model": "wan2.7-t2v", "prompt": "A cat on a piano", "duration": 5}},
        answer={_JSON: GenerationTask},
        failures=_FAILURES,
    ),
    Operation(
        id="retrieveVideoGeneration",
        method="GET",
        path="/v1/video/generations/{task_id}",
        tag="Videos",
        summary="Tell how a video stands, in NewAPI's words",
        parameters=(Parameter(name="task_id", where="path", description="Its id."),),
        answer={_JSON: Generation},
        failures=_FAILURES,
    ),
)
