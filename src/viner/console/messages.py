"""What the console says, in every language of its interface."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from viner.console.feedback_messages import FEEDBACK_MESSAGES
from viner.console.studio_messages import STUDIO_MESSAGES
from viner.errors import VinerError
from viner.evaluation.messages import ERROR_MESSAGES
from viner.languages import Say

if TYPE_CHECKING:
    from viner.studio.notes import Note

_MESSAGES: dict[str, tuple[str, str]] = {
    **STUDIO_MESSAGES,
    **FEEDBACK_MESSAGES,
    **ERROR_MESSAGES,
    "title": ("viner · Recognize", "viner · Nhận dạng"),
    "tagline": ("Find the named entities in any text", "Tìm các thực thể có tên trong văn bản"),
    "api": ("REST API", "REST API"),
    "language": ("Interface language", "Ngôn ngữ giao diện"),
    "text": ("Text", "Văn bản"),
    "placeholder": ("Paste a notice, a report, a news article…", "Dán thông báo, báo cáo hoặc bài báo vào đây…"),
    "recognize": ("Recognize", "Nhận dạng"),
    "open": ("Open a file", "Mở tệp"),
    "clear": ("Clear", "Xóa"),
    "input_hint": (
        "Ctrl + Enter recognizes. Drop .txt or .jsonl files anywhere on this page. Texts go to this server and nowhere else.",
        "Ctrl + Enter để nhận dạng. Thả tệp .txt hoặc .jsonl vào bất kỳ đâu trên trang. Văn bản chỉ được gửi tới máy chủ này.",
    ),
    "examples": ("Examples", "Ví dụ"),
    "empty_title": ("Nothing recognized yet", "Chưa có kết quả"),
    "empty_text": (
        "Paste a text or pick an example: the entities appear here, highlighted.",
        "Dán văn bản hoặc chọn một ví dụ: các thực thể sẽ được tô màu tại đây.",
    ),
    "types": ("Types", "Loại thực thể"),
    "confidence": ("Lowest confidence, %", "Độ tin cậy tối thiểu, %"),
    "entities": ("Entities", "Thực thể"),
    "entities_of_page": ("Entities on this page", "Thực thể trên trang này"),
    "one_entity": ("1 entity", "1 thực thể"),
    "count_entities": ("{count} entities", "{count} thực thể"),
    "shown_of": ("{shown} of {count} entities shown", "Hiển thị {shown} trong {count} thực thể"),
    "count_documents": ("{count} documents", "{count} văn bản"),
    "seconds": ("{seconds} s", "{seconds} giây"),
    "milliseconds": ("{count} ms", "{count} ms"),
    "none_found": ("The model found no entity in this text.", "Mô hình không tìm thấy thực thể nào trong văn bản này."),
    "none_shown": (
        "The filters hide every entity. Tick more types or lower the confidence.",
        "Bộ lọc đang ẩn mọi thực thể. Hãy chọn thêm loại hoặc giảm độ tin cậy.",
    ),
    "cut": (
        "Shown are the first {shown} of {count} characters. The downloads hold everything.",
        "Chỉ hiển thị {shown} trong số {count} ký tự đầu. Tệp tải về chứa đầy đủ.",
    ),
    "rows_cut": (
        "The first {shown} of {count} rows. The downloads hold everything.",
        "{shown} trong số {count} dòng đầu. Tệp tải về chứa đầy đủ.",
    ),
    "document": ("Document", "Văn bản"),
    "entity": ("Entity", "Thực thể"),
    "type": ("Type", "Loại"),
    "score": ("Confidence", "Độ tin cậy"),
    "position": ("Characters", "Vị trí"),
    "previous": ("Previous", "Trước"),
    "next": ("Next", "Sau"),
    "page": ("Documents {first}–{last} of {count}", "Văn bản {first}–{last} trong {count}"),
    "copy": ("Copy", "Sao chép"),
    "copied": ("Copied", "Đã sao chép"),
    "download": ("Download", "Tải về"),
    "error_title": ("That did not work", "Không thực hiện được"),
    "error_empty": ("There is no text yet. Paste one, or open a file.", "Chưa có văn bản. Hãy dán văn bản hoặc mở một tệp."),
    "error_empty_file": ("The file holds no text.", "Tệp không có văn bản."),
    "error_many": (
        "The page takes at most {texts} texts, of {characters} characters together. For more use 'viner predict'.",
        "Trang này nhận nhiều nhất {texts} văn bản, tổng cộng {characters} ký tự. Nếu nhiều hơn, hãy dùng 'viner predict'.",
    ),
    "error_kind": (
        "{name} is neither a .txt nor a .jsonl file. For other formats use 'viner predict'.",
        "{name} không phải là tệp .txt hay .jsonl. Với định dạng khác, hãy dùng 'viner predict'.",
    ),
    "detail": ("Technical detail", "Chi tiết kỹ thuật (tiếng Anh)"),
    "error_invalid_format": (
        "The file breaks its format at this place.",
        "Không đọc được tệp tại vị trí này: nội dung không đúng định dạng hoặc không phải văn bản UTF-8.",
    ),
    "hint_invalid_format": (
        "A .txt file is UTF-8 text; each line of a .jsonl file is one JSON object with a 'text'.",
        'Tệp .txt phải là văn bản UTF-8; mỗi dòng của tệp .jsonl là một đối tượng JSON có khóa "text".',
    ),
    "error_invalid_input": (
        "This text cannot be read.",
        "Không đọc được văn bản này: có thể nó chứa ký tự hỏng.",
    ),
    "hint_invalid_input": (
        "Remove damaged characters, or save it again as UTF-8.",
        "Hãy xóa các ký tự hỏng, hoặc lưu lại dưới dạng UTF-8.",
    ),
    "expired_title": ("This result is no longer on the server", "Kết quả này không còn trên máy chủ"),
    "expired_text": (
        "Results are forgotten after an hour. Recognize the text again, or open the file again.",
        "Kết quả chỉ được giữ trong một giờ. Hãy nhận dạng lại văn bản hoặc mở lại tệp.",
    ),
    "again": ("Recognize again", "Nhận dạng lại"),
    "error_internal": (
        "The server failed on this text. The server's log says where.",
        "Máy chủ gặp lỗi với văn bản này. Nhật ký máy chủ ghi rõ vị trí lỗi.",
    ),
}


class Messages(Say):
    """What the console says in one language.

    Args:
        language: One of :data:`viner.languages.LANGUAGES`.

    Raises:
        UsageError: If the console does not speak that language.
    """

    def __init__(self, language: str) -> None:
        super().__init__(_MESSAGES, language)

    def explain(
        self, error: VinerError | Mapping[str, str | None], *, otherwise: str | None = None
    ) -> tuple[str, str | None, str | None]:
        """What an error says in this language: message, hint, and the English detail where the message is not that itself.

        Errors are written in English; another language has one sentence for each code.

        Args:
            error: The error, or its form as a dictionary.
            otherwise: The code whose sentence stands in where an error's own code has none, or only says that the input is
                invalid; None where inputs are texts to recognize.
        """
        told = error.to_dict() if isinstance(error, VinerError) else error
        message, hint = told.get("message") or "", told.get("hint")
        if self.language == "en":
            return message, hint, None
        code = told.get("code")
        if f"hint_{code}" not in _MESSAGES or (otherwise and code == "invalid_input"):
            code = otherwise or "invalid_input"
        return self(f"error_{code}"), self(f"hint_{code}"), message

    def note(self, note: Note) -> str:
        """What a note of a run says in this language; one without a code is told as it stands."""
        if note.code is None:
            return note.message
        values = {name: self._value(value) for name, value in note.values.items()}
        if "reason" in values:
            values["reason"] = self.explain(
                {"code": note.values.get("reason_code"), "message": values["reason"]}, otherwise="general"
            )[0].rstrip(".")
        return self(f"note_{note.code}", **values)

    def _value(self, value: object) -> str:
        if isinstance(value, float):
            return self.decimal(value, 4)
        return self.number(value) if isinstance(value, int) else str(value)
