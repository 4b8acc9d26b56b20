"""What the page says about flagged answers, beside :mod:`viner.console.messages`."""

from __future__ import annotations

FEEDBACK_MESSAGES: dict[str, tuple[str, str]] = {
    "flag_terms": (
        "This app collects answers that its visitors flag as wrong. Nothing is kept unless you press Send.",
        "Ứng dụng này thu thập những kết quả được người dùng báo sai. Không có gì được lưu nếu bạn không bấm Gửi.",
    ),
    "flag_note": ("The operator says: {note}", "Người vận hành cho biết: {note}"),
    "flag_no_note": (
        "The operator has not said for how long it is kept.",
        "Người vận hành chưa cho biết thời gian lưu giữ.",
    ),
    "flag_answer": ("Flag this answer as wrong", "Báo kết quả này sai"),
    "flag_which": ("Which text", "Văn bản nào"),
    "flag_kept": ("If you press Send, this app keeps", "Nếu bạn bấm Gửi, ứng dụng này sẽ lưu"),
    "flag_kept_text": (
        "the text below and the entities that the model found in it,",
        "văn bản dưới đây và các thực thể mà mô hình tìm thấy trong đó,",
    ),
    "flag_kept_comment": ("what you mark and write here,", "những gì bạn đánh dấu và viết ở đây,"),
    "flag_kept_model": ("the model's name and the time.", "tên mô hình và thời điểm gửi."),
    "flag_kept_not": (
        "Your name and address are not kept. It goes to the operator of this app, to correct the model: send no text that must"
        " not be passed on. You can erase it again.",
        "Tên và địa chỉ của bạn không được lưu. Nội dung được chuyển cho người vận hành ứng dụng để sửa mô hình: đừng gửi văn"
        " bản không được phép chia sẻ. Bạn có thể xóa lại nội dung đã gửi.",
    ),
    "flag_text": ("The text, {count} characters", "Văn bản, {count} ký tự"),
    "flag_wrong": ("Which entities are wrong? (optional)", "Thực thể nào sai? (không bắt buộc)"),
    "flag_comment": ("What is wrong, or missing? (optional)", "Sai hoặc thiếu điều gì? (không bắt buộc)"),
    "flag_send": ("Send", "Gửi"),
    "flag_sent": ("Sent. Thank you.", "Đã gửi. Cảm ơn bạn."),
    "flag_sent_text": (
        "Keep the receipt: with it you can erase what you sent, now or later.",
        "Hãy giữ mã biên nhận: với mã này, bạn có thể xóa nội dung đã gửi, ngay bây giờ hoặc sau này.",
    ),
    "flag_receipt": ("Receipt", "Mã biên nhận"),
    "flag_erase": ("Erase what I sent", "Xóa nội dung tôi đã gửi"),
    "flag_erase_later": ("Erase something that you sent", "Xóa nội dung bạn đã gửi"),
    "flag_erased": ("Erased.", "Đã xóa."),
    "flag_erased_text": (
        "It is gone from this app's disk. If the operator had taken a copy before, tell them this receipt: {receipt}",
        "Nội dung đã được xóa khỏi ổ đĩa của ứng dụng. Nếu người vận hành đã sao chép trước đó, hãy báo cho họ mã: {receipt}",
    ),
    "flag_too_long": (
        "The text is longer than {count} characters. Flag the part that is wrong.",
        "Văn bản dài hơn {count} ký tự. Hãy chỉ báo phần bị sai.",
    ),
    "imported_withdrawn": (
        "Their senders have erased these since; erase them here, too: {ids}",
        "Người gửi đã xóa những văn bản này; hãy xóa chúng ở đây: {ids}",
    ),
    "error_feedback_failed": (
        "The server could not do this; nothing was changed.",
        "Máy chủ không thực hiện được; không có gì thay đổi.",
    ),
    "hint_feedback_failed": ("Try again later.", "Hãy thử lại sau."),
    "error_feedback_full": (
        "This app has no room for more flagged answers. Nothing was kept.",
        "Ứng dụng không còn chỗ cho kết quả báo sai. Không có gì được lưu.",
    ),
    "hint_feedback_full": ("Tell the operator.", "Hãy báo cho người vận hành."),
    "error_feedback_busy": (
        "Others are sending just now. Nothing was changed.",
        "Đang có người khác gửi. Không có gì thay đổi.",
    ),
    "hint_feedback_busy": ("Try again in a moment.", "Hãy thử lại sau giây lát."),
    "error_too_many_requests": (
        "That was too much at a time. Nothing was changed.",
        "Bạn gửi quá nhanh. Không có gì thay đổi.",
    ),
    "hint_too_many_requests": ("Try again in a minute.", "Hãy thử lại sau một phút."),
    "error_unknown_receipt": (
        "Nothing is kept under this receipt.",
        "Không có nội dung nào được lưu với mã biên nhận này.",
    ),
    "hint_unknown_receipt": (
        "Check it for missing characters. If it is right, the operator has removed what was kept.",
        "Hãy kiểm tra xem mã có thiếu ký tự không. Nếu mã đúng, người vận hành đã xóa nội dung đó.",
    ),
}
