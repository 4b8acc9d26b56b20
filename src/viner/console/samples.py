"""The example notices of the page, written for viner. All people and events are invented."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sample:
    """A short text to try: its language, what its button says, and the text."""

    language: str
    title: str
    text: str


SAMPLES = (
    Sample(
        "vi",
        "Thông báo ca bệnh",
        "Sáng 14/3, Sở Y tế Quảng Ninh ghi nhận thêm hai ca dương tính. BN2417 là nữ, 46 tuổi, giáo viên, trú tại "
        "phường Hồng Hải, thành phố Hạ Long. Bệnh nhân sốt, ho khan và đau họng từ ngày 11/3, "
        "hiện điều trị tại Bệnh viện Bãi Cháy.\n"
        "BN2418 là anh Trần Văn Lực, 31 tuổi, tài xế xe tải, vừa trở về từ Lạng Sơn trên xe khách biển số 14B-027.65.",
    ),
    Sample(
        "vi",
        "Tìm người trên chuyến bay",
        "Trung tâm Kiểm soát bệnh tật Đà Nẵng đề nghị hành khách đi chuyến bay VN167 từ Hà Nội tối 2/8, "
        "ngồi từ hàng ghế 20 đến 27, khai báo y tế trước 17h ngày 5/8. "
        "Bệnh nhân 803 là kỹ sư xây dựng, nam, 52 tuổi, có triệu chứng khó thở và mệt mỏi, "
        "từng ăn sáng tại đường Lê Đình Lý và làm việc ở Công ty Thép Sông Hàn.",
    ),
    Sample(
        "en",
        "Hospital notice",
        "On 9 June, St Brendan's Hospital in Cork admitted Patient 58, a 63-year-old retired bus driver with fever, a dry "
        "cough and shortness of breath. He had travelled from Lisbon on flight TP1326 and took the 226 bus into town.\n"
        "His wife, Maura Keane, a 59-year-old pharmacist, has tested negative and is isolating at home in Kinsale.",
    ),
    Sample(
        "en",
        "Outbreak report",
        "The Ministry of Health of Kenya confirmed eleven cases of cholera in Garissa between 3 and 8 November. "
        "The youngest patient is a girl aged four; the oldest, case 7, is a male fisherman of 71. "
        "All had severe diarrhea and vomiting. Dr. Achieng Otieno of the Kenya Red Cross said that "
        "two nurses from Dadaab are under observation.",
    ),
)


def samples_for(language: str) -> list[Sample]:
    """All samples, those in a language first."""
    return sorted(SAMPLES, key=lambda sample: sample.language != language)
