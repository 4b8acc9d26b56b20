"""What evaluations and pages about errors say, in every language of the interface."""

from __future__ import annotations

from viner.corpus.perturb import PERTURBATIONS
from viner.languages import Say

_PERTURBED = {
    "no-diacritics": "Ha Noi thay cho Hà Nội",
    "tone-style": "hoà thay cho hòa, hòa thay cho hoà",
    "nfd": "chữ cái và dấu tách rời (NFD)",
    "lower": "toàn chữ thường",
    "upper": "TOÀN CHỮ HOA",
    "typos": "gõ nhầm phím, 1 trong 10 từ",
    "telex": "nguwowif thay cho người, 1 trong 10 từ",
    "ocr": "đọc sai như máy quét, 1 trong 10 từ",
    "no-stop": "không có dấu câu cuối",
    "new-names": "tên người và địa danh được bịa ra",
    "exchanged": "hoán đổi thực thể trong cùng loại",
    "joined": "ghép 20 văn bản liền nhau thành một",
}
"""What each perturbation does, in Vietnamese."""

ERROR_MESSAGES: dict[str, tuple[str, str]] = {
    "err_gold": ("annotated", "đã gán nhãn"),
    "err_predicted": ("recognized", "mô hình nhận dạng"),
    "err_kind": ("Kind", "Loại lỗi"),
    "err_type": ("Type", "Loại thực thể"),
    "err_count": ("Errors", "Số lỗi"),
    "err_share": ("Share", "Tỷ lệ"),
    "err_gain": ("F1 if mended", "F1 nếu sửa hết"),
    "err_kind_correct": ("right", "đúng"),
    "err_kind_type": ("wrong type", "sai loại"),
    "err_kind_boundary": ("wrong borders", "sai ranh giới"),
    "err_kind_boundary_type": ("wrong borders and type", "sai ranh giới và loại"),
    "err_kind_missed": ("missed", "bỏ sót"),
    "err_kind_spurious": ("spurious", "nhận dạng thừa"),
    "err_do_type": (
        "Say in the guideline what tells the two types apart, and annotate more of the rarer one.",
        "Hãy ghi rõ trong hướng dẫn cách phân biệt hai loại và gán thêm nhãn cho loại hiếm hơn.",
    ),
    "err_do_boundary": (
        "Say in the guideline what belongs to the entity (titles, units, brackets), and make the annotations agree.",
        "Hãy ghi rõ trong hướng dẫn thực thể gồm những gì (chức danh, đơn vị, ngoặc) và gán nhãn thống nhất.",
    ),
    "err_do_boundary_type": (
        "Often one name inside another: decide which of them is to be annotated.",
        "Thường là tên này nằm trong tên khác: hãy quyết định gán nhãn tên nào.",
    ),
    "err_do_missed": (
        "Annotate more documents that hold such entities; closed lists can go into a dictionary.",
        "Hãy gán nhãn thêm văn bản có các thực thể này; danh sách cố định có thể đưa vào từ điển.",
    ),
    "err_do_spurious": (
        "Look whether the annotation missed them. If not, annotate more documents in which such words are no entity.",
        "Hãy xem có phải người gán nhãn bỏ sót không. Nếu không, hãy gán thêm văn bản mà các từ này không phải thực thể.",
    ),
    "err_kinds": ("Errors by kind", "Lỗi theo loại"),
    "err_kinds_note": (
        "A wrong pair counts once here and twice in F1: the last column says what F1 would be without errors of that kind.",
        "Một cặp sai được tính một lần ở đây và hai lần trong F1: cột cuối cho biết F1 nếu không còn loại lỗi đó.",
    ),
    "err_none": ("There is no error.", "Không có lỗi nào."),
    "err_matrix": ("Which types are taken for which", "Loại nào bị nhầm với loại nào"),
    "err_matrix_note": (
        "Rows are annotated, columns recognized. On the diagonal the type is right, whatever the borders. Shades are shares of "
        "the row.",
        "Hàng là nhãn đã gán, cột là nhãn nhận dạng. Trên đường chéo, loại đúng bất kể ranh giới. Độ đậm là tỷ lệ trong hàng.",
    ),
    "err_others": ("other types", "loại khác"),
    "err_all": ("all", "tất cả"),
    "err_examples": ("Errors in context", "Lỗi trong ngữ cảnh"),
    "err_examples_note": (
        "Above the line stands what is annotated, below it what was recognized.",
        "Phía trên dòng là nhãn đã gán, phía dưới là kết quả nhận dạng.",
    ),
    "err_drawn": (
        "Of each kind there are {count} examples at most, drawn by chance so that every pair of types has its share.",
        "Mỗi loại lỗi có tối đa {count} ví dụ, chọn ngẫu nhiên để mọi cặp loại đều có phần.",
    ),
    "err_of": ("{shown} of {count}", "{shown}/{count}"),
    "err_shown": ("Shown:", "Đang hiển thị:"),
    "err_open": ("Open {name} in the annotator", "Mở {name} để gán nhãn"),
    "err_document": ("Document", "Văn bản"),
    "err_line": ("line {line}", "dòng {line}"),
    "err_surfaces": ("Hardest texts", "Chuỗi khó nhất"),
    "err_surface": ("Text", "Chuỗi"),
    "err_disputed": ("Annotated in different ways", "Được gán nhãn khác nhau"),
    "err_disputed_note": (
        "The same text has several types. Some are right where they stand; others are slips.",
        "Cùng một chuỗi có nhiều loại. Có chỗ đúng theo ngữ cảnh, có chỗ là nhầm lẫn.",
    ),
    "err_documents": ("Errors by document", "Lỗi theo văn bản"),
    "err_half": (
        "{documents} of {count} documents hold {errors} of {all} errors.",
        "{documents} trong {count} văn bản chứa {errors} trong {all} lỗi.",
    ),
    "err_lengths": ("Errors by length", "Lỗi theo độ dài"),
    "err_words": ("Words", "Số từ"),
    "err_recall": ("Found", "Tìm thấy"),
    "err_precision": ("Right", "Đúng"),
    "err_stress": ("The same documents, written otherwise", "Cùng các văn bản, viết theo cách khác"),
    "err_stress_what": ("Perturbation", "Biến đổi"),
    "err_stress_none": ("none", "không"),
    "err_stress_lost": ("Points lost", "Số điểm mất"),
    "err_stress_changed": ("Documents changed", "Văn bản bị đổi"),
    "err_stress_note": (
        "Strict micro F1; a point is a hundredth of it. All other parts of this page are about the documents as they are.",
        "F1 vi mô nghiêm ngặt; một điểm là một phần trăm. Các phần khác của trang nói về văn bản nguyên gốc.",
    ),
    "err_confidence": ("How far scores can be trusted", "Điểm số đáng tin đến đâu"),
    "err_confidence_told": (
        "Over {count} recognized entities: expected calibration error {ece} ({chance} by chance alone), Brier score {brier}.",
        "Trên {count} thực thể được nhận dạng: sai số hiệu chỉnh kỳ vọng {ece} ({chance} nếu chỉ do ngẫu nhiên), "
        "điểm Brier {brier}.",
    ),
    "err_confidence_none": ("No entity with a score was recognized.", "Không nhận dạng được thực thể nào có điểm số."),
    "err_reliability": ("Reliability diagram", "Biểu đồ độ tin cậy"),
    "err_reliability_summary": (
        "{bins} points; those below the diagonal, whose scores promise too much, hold {share} of the entities.",
        "{bins} điểm; các điểm nằm dưới đường chéo, có điểm số cao hơn tỷ lệ đúng, chứa {share} số thực thể.",
    ),
    "err_reliability_note": (
        "Each point stands for about as many entities, its line for the 95 % interval. On the diagonal nine in ten entities "
        "with a score of 0.9 are right; below it the model is too sure.",
        "Mỗi điểm ứng với số thực thể gần bằng nhau, vạch là khoảng tin cậy 95 %. Trên đường chéo, chín trên mười thực thể "
        "có điểm 0,9 là đúng; nằm dưới nghĩa là mô hình quá tự tin.",
    ),
    "err_selective": ("Selective accuracy", "Độ chính xác khi chọn lọc"),
    "err_selective_summary": ("Of all entities {right} are right.", "Trong tất cả thực thể, {right} là đúng."),
    "err_selective_note": (
        "If only the surest entities are kept: how many these are, and how many of them are right. The points are the "
        "scores of the table.",
        "Nếu chỉ giữ các thực thể chắc chắn nhất: còn lại bao nhiêu, và bao nhiêu trong đó là đúng. Các chấm là các điểm số "
        "trong bảng.",
    ),
    "err_score": ("Score", "Điểm số"),
    "err_scores": ("Scores", "Điểm số"),
    "err_mean_score": ("Mean score", "Điểm trung bình"),
    "err_score_least": ("Score from", "Điểm từ"),
    "err_score_from": ("score from {score}", "điểm từ {score}"),
    "err_entities": ("Entities", "Thực thể"),
    "err_kept": ("Share kept", "Tỷ lệ giữ lại"),
    "err_share_right": ("Share right", "Tỷ lệ đúng"),
    "err_as_table": ("As a table", "Dạng bảng"),
    "err_doubts": ("Annotations that are probably wrong", "Nhãn có thể sai"),
    "err_doubts_note": (
        "The model is sure (score of {sure} or more) and disagrees with the annotation. Of documents that it learned from it "
        "knows the annotation by heart: there, viner doubts asks models that did not.",
        "Mô hình chắc chắn (điểm từ {sure}) và không đồng ý với nhãn. Với văn bản mà mô hình đã học, nó đã thuộc nhãn: "
        "khi đó hãy dùng viner doubts để hỏi các mô hình chưa học chúng.",
    ),
    "err_doubts_none": (
        "The model is nowhere sure that an annotation is wrong.",
        "Không có chỗ nào mô hình chắc chắn nhãn sai.",
    ),
    "err_should": ("according to the model: {answer}", "theo mô hình: {answer}"),
    "err_no_entity": ("no entity", "không phải thực thể"),
    "err_sure": ("{percent} sure", "chắc {percent}"),
    "err_elsewhere": ("elsewhere: {labels}", "chỗ khác: {labels}"),
    "err_versus": ("What {second} changes, compared with {first}", "{second} thay đổi những gì so với {first}"),
    "err_versus_figures": (
        "F1 {before} → {after}: {repaired} repaired, {broken} broken.",
        "F1 {before} → {after}: sửa được {repaired}, làm sai {broken}.",
    ),
    "err_versus_chance": (
        "A difference like this comes about by chance alone in {chance} % of the cases.",
        "Chênh lệch như vậy xảy ra ngẫu nhiên trong {chance} % trường hợp.",
    ),
    "err_first": ("first", "bản đầu"),
    "err_second": ("second", "bản sau"),
    "err_outcome": ("Outcome", "Kết quả"),
    "err_repaired": ("repaired", "sửa được"),
    "err_broken": ("broken", "làm sai"),
    "err_mixed": ("both", "cả hai"),
    "err_other": ("wrong in another way", "sai theo cách khác"),
    "err_curve": ("What more documents bring", "Thêm văn bản thì được gì"),
    "err_curve_axis": ("F1 on dev by the number of documents", "F1 trên dev theo số văn bản"),
    "err_curve_documents": ("Documents", "Số văn bản"),
    "err_curve_entities": ("Entities", "Số thực thể"),
    "err_curve_seeds": ("Trainings", "Số lần huấn luyện"),
    "err_curve_gain": ("Points gained", "Điểm tăng thêm"),
    "err_curve_note": (
        "Strict F1 of trainings on growing parts of the documents, all scored on the same {documents} documents with "
        "{entities} entities. Each part holds the smaller ones. Steps to the right are doublings; bars are mean ± deviation "
        "over seeds.",
        "F1 nghiêm ngặt khi huấn luyện trên các phần tăng dần, đều đánh giá trên cùng {documents} văn bản với {entities} "
        "thực thể. Phần lớn chứa phần nhỏ. Trục ngang theo bội số của hai; thanh dọc là trung bình ± độ lệch qua các hạt "
        "giống.",
    ),
    "err_curve_failed": (
        "{count} trainings failed and are left out.",
        "{count} lần huấn luyện thất bại và không được tính.",
    ),
    "err_title": ("Errors of {model}", "Lỗi của {model}"),
    "err_on": ("on {file}", "trên {file}"),
    "err_in": ("in {file}", "trong {file}"),
    "err_from": ("of {file}", "của {file}"),
    "err_contents": ("Contents", "Mục lục"),
    "err_figure_precision": ("precision", "độ chính xác"),
    "err_figure_recall": ("recall", "độ phủ"),
    "err_figure_macro": ("macro F1", "F1 vĩ mô"),
    "err_figure_errors": ("errors", "lỗi"),
    "err_figure_documents": ("documents", "văn bản"),
    "err_unknown": (
        "{count} annotated entities are of types that the model does not know: {labels}.",
        "{count} thực thể đã gán nhãn thuộc các loại mà mô hình không biết: {labels}.",
    ),
    "err_unannotated": (
        "Documents that nobody annotated are left out: {count}.",
        "Không tính các văn bản chưa ai gán nhãn: {count}.",
    ),
    "err_overlapping": (
        "Annotated entities that overlap others or are annotated twice: {count}. No answer without overlaps has them all; "
        "viner lint lists them.",
        "Thực thể đã gán nhãn chồng lên thực thể khác hoặc được gán hai lần: {count}. Câu trả lời không chồng nhau không thể "
        "có hết; viner lint liệt kê chúng.",
    ),
    "err_truncated": (
        "Annotated entities in text that was not looked at: {count}.",
        "Thực thể đã gán nhãn nằm trong phần văn bản không được đọc: {count}.",
    ),
    "err_rules": (
        "The rules of {file} answer, too.",
        "Các luật trong {file} cũng trả lời.",
    ),
    "err_doubts_unscored": (
        "The answers have no scores, so nothing says of which ones the model is sure.",
        "Các câu trả lời không có điểm nên không biết mô hình chắc chắn ở đâu.",
    ),
    "err_least": (
        "Entities of the model whose score is below {score} are left out, as somebody asked.",
        "Theo yêu cầu, các thực thể của mô hình có điểm dưới {score} bị bỏ qua.",
    ),
    "err_all_found": (
        "All that the model finds is counted, however unsure it is, as somebody asked.",
        "Theo yêu cầu, mọi thực thể mô hình tìm thấy đều được tính, dù mô hình không chắc đến đâu.",
    ),
    "err_cut": (
        "{count} annotated entities cut a word or lie outside of all, and cannot be found; viner lint lists them.",
        "{count} thực thể đã gán nhãn cắt ngang một từ hoặc nằm ngoài mọi từ nên không thể tìm thấy; viner lint liệt kê chúng.",
    ),
    "err_crossed": (
        "{doubtful} of {entities} annotated entities are doubtful, and {missing} more may be missing. Each of the {documents} "
        "documents was judged by one of {folds} models that did not learn from it; their F1 is {f1}.",
        "{doubtful} trong {entities} thực thể đã gán nhãn là đáng ngờ, và có thể còn thiếu {missing} thực thể. Mỗi văn bản "
        "trong số {documents} được đánh giá bởi một trong {folds} mô hình chưa học nó; F1 của các mô hình này là {f1}.",
    ),
    "err_crossed_poor": (
        "That is too little to trust their doubts: give the trainings more time, or annotate more documents.",
        "F1 này quá thấp để tin các nghi ngờ đó: hãy huấn luyện lâu hơn, hoặc gán nhãn thêm văn bản.",
    ),
    "err_crossed_most": (
        "These are the {shown} most doubtful of {count}; a .jsonl file holds all.",
        "Đây là {shown} chỗ đáng ngờ nhất trong {count}; tệp .jsonl chứa tất cả.",
    ),
    "err_curve_title": ("Learning curve", "Đường cong học tập"),
    "err_curve_untold": (
        "There are no two points from which to tell what more documents would bring.",
        "Chưa có hai điểm để biết thêm văn bản thì được gì.",
    ),
    "err_curve_doubling": (
        "The last doubling ({before} to {last} documents) gained {gain} points of F1",
        "Lần gấp đôi cuối ({before} lên {last} văn bản) tăng {gain} điểm F1",
    ),
    "err_curve_step": (
        "By doubling, the last step ({before} to {last} documents) gained {gain} points of F1",
        "Tính theo mỗi lần gấp đôi, bước cuối ({before} lên {last} văn bản) tăng {gain} điểm F1",
    ),
    "err_curve_luck": (
        "{told}, no more than seeds differ by: whether more documents would help cannot be told.",
        "{told}, không hơn chênh lệch giữa các hạt giống: chưa thể biết thêm văn bản có giúp ích không.",
    ),
    "err_curve_helps": ("{told}: more documents would still help.", "{told}: thêm văn bản vẫn còn giúp ích."),
    "err_curve_little": (
        "{told}: more documents would help a little.",
        "{told}: thêm văn bản sẽ giúp được một chút.",
    ),
    "err_curve_hardly": (
        "{told}: more documents of the same kind will hardly help.",
        "{told}: thêm văn bản cùng loại hầu như không giúp được gì.",
    ),
    "err_curve_one_seed": (
        "{told} One seed: another may say otherwise.",
        "{told} Chỉ một hạt giống: hạt giống khác có thể cho kết quả khác.",
    ),
    "err_stress_untouched": (
        "Nothing in these documents to change: {names}.",
        "Các văn bản này không có gì để biến đổi: {names}.",
    ),
    "err_stress_cut": (
        "{name}: {count} more gold entities cut a word or lie outside of all, and cannot be found.",
        "{name}: thêm {count} thực thể đã gán nhãn cắt ngang một từ hoặc nằm ngoài mọi từ nên không thể tìm thấy.",
    ),
    **{f"err_perturbed_{item.name}": (item.title, _PERTURBED[item.name]) for item in PERTURBATIONS},
}
"""For each key the sentence in English and in Vietnamese; :mod:`viner.console.messages` has them, too."""


ENGLISH = Say(ERROR_MESSAGES, "en")
"""What is said where nobody chose a language."""


def error_messages(language: str) -> Say:
    """The messages in a language.

    Raises:
        UsageError: If it is none of :data:`viner.languages.LANGUAGES`.
    """
    return Say(ERROR_MESSAGES, language)
