"""The examples of the page, written for viner. All people and events are invented."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from viner.document import check_text
from viner.errors import InputError


@dataclass(frozen=True, slots=True)
class Example:
    """A short text to try: its language ("" where nobody knows), what its button says, and the text."""

    language: str
    title: str
    text: str


NOTICES = (
    Example(
        "vi",
        "Thông báo ca bệnh",
        "Sáng 14/3, Sở Y tế Quảng Ninh ghi nhận thêm hai ca dương tính. BN2417 là nữ, 46 tuổi, giáo viên, trú tại "
        "phường Hồng Hải, thành phố Hạ Long. Bệnh nhân sốt, ho khan và đau họng từ ngày 11/3, "
        "hiện điều trị tại Bệnh viện Bãi Cháy.\n"
        "BN2418 là anh Trần Văn Lực, 31 tuổi, tài xế xe tải, vừa trở về từ Lạng Sơn trên xe khách biển số 14B-027.65.",
    ),
    Example(
        "vi",
        "Tìm người trên chuyến bay",
        "Trung tâm Kiểm soát bệnh tật Đà Nẵng đề nghị hành khách đi chuyến bay VN167 từ Hà Nội tối 2/8, "
        "ngồi từ hàng ghế 20 đến 27, khai báo y tế trước 17h ngày 5/8. "
        "Bệnh nhân 803 là kỹ sư xây dựng, nam, 52 tuổi, có triệu chứng khó thở và mệt mỏi, "
        "từng ăn sáng tại đường Lê Đình Lý và làm việc ở Công ty Thép Sông Hàn.",
    ),
    Example(
        "en",
        "Hospital notice",
        "On 9 June, St Brendan's Hospital in Cork admitted Patient 58, a 63-year-old retired bus driver with fever, a dry "
        "cough and shortness of breath. He had travelled from Lisbon on flight TP1326 and took the 226 bus into town.\n"
        "His wife, Maura Keane, a 59-year-old pharmacist, has tested negative and is isolating at home in Kinsale.",
    ),
    Example(
        "en",
        "Outbreak report",
        "The Ministry of Health of Kenya confirmed eleven cases of cholera in Garissa between 3 and 8 November. "
        "The youngest patient is a girl aged four; the oldest, case 7, is a male fisherman of 71. "
        "All had severe diarrhea and vomiting. Dr. Achieng Otieno of the Kenya Red Cross said that "
        "two nurses from Dadaab are under observation.",
    ),
)


NEWS = (
    Example(
        "vi",
        "Tin kinh tế",
        "Ngày 5/9, bà Lê Thu Hà, giám đốc Công ty Sao Mai ở Cần Thơ, ký với Đại học Duy Minh thỏa thuận trị giá 12 tỷ đồng. "
        "Ông Phan Quốc Nam, trưởng khoa Nông nghiệp, cho biết giống lúa mới sẽ được trồng thử tại Sóc Trăng và Bạc Liêu "
        "từ tháng 11, trước khi giới thiệu ở Paris.",
    ),
    Example(
        "en",
        "Business news",
        "On Tuesday, Clara Jansen, who founded Northlight Foods in Rotterdam, signed a contract worth 3 million euros with the "
        "University of Leira. Its rector, Paulo Teixeira, said that the new laboratory in Porto would open in March 2027 and "
        "work with partners from Paris, Nairobi and Da Nang.",
    ),
)
"""About people, places, organizations and dates, which many models know."""


def in_order(examples: Iterable[Example], language: str) -> list[Example]:
    """All examples, those in a language first."""
    return sorted(examples, key=lambda example: example.language != language)


def write_examples(examples: Sequence[Example], path: Path) -> None:
    """Writes examples as :func:`read_examples` reads them."""
    content = json.dumps([asdict(example) for example in examples], ensure_ascii=False, indent=1)
    path.write_text(f"{content}\n", encoding="utf-8")


def read_examples(path: str | Path) -> tuple[Example, ...]:
    """Reads a JSON file ``[{"language": "vi", "title": "…", "text": "…"}]``, which may be empty.

    Raises:
        InputError: If it cannot be read or has another form.
    """
    try:
        data = json.loads(Path(path).read_text(encoding="utf-8"))
        if not isinstance(data, list):
            raise TypeError("it holds no list")
        examples = tuple(Example(item["language"], item["title"], check_text(item["text"])) for item in data)
        if not all(isinstance(part, str) for example in examples for part in (example.language, example.title)):
            raise TypeError("language and title must be strings")
    except (OSError, ValueError, KeyError, TypeError) as error:
        hint = 'It is a list: [{"language": "vi", "title": "…", "text": "…"}]'
        raise InputError(f"the examples cannot be read ({error})", where=path, hint=hint) from error
    return examples
