/** What the page says, in every language of its interface. */

export const LANGUAGES = /** @type {const} */ (["en", "vi"]);

/** @type {Record<string, [string, string, string?]>} English, Vietnamese, English where count is one */
const MESSAGES = {
  tagline: ["Finds the named entities in any text", "Tìm các thực thể có tên trong văn bản"],
  private: [
    "Your text stays in this browser: there is no server that it could go to.",
    "Văn bản của bạn ở lại trong trình duyệt này: không có máy chủ nào nhận nó.",
  ],
  language: ["Interface language", "Ngôn ngữ giao diện"],
  text: ["Text", "Văn bản"],
  placeholder: ["Paste a notice, a report, a news article…", "Dán thông báo, báo cáo hoặc bài báo vào đây…"],
  recognize: ["Recognize", "Nhận dạng"],
  clear: ["Clear", "Xóa"],
  keys: ["Ctrl + Enter recognizes.", "Ctrl + Enter để nhận dạng."],
  examples: ["Examples", "Ví dụ"],
  loading: ["Loading the model: {done} of {of} MB", "Đang tải mô hình: {done} / {of} MB"],
  starting: ["Starting the model…", "Đang khởi động mô hình…"],
  ready: ["Ready. The model works in this browser.", "Sẵn sàng. Mô hình chạy trong trình duyệt này."],
  working: ["Recognizing…", "Đang nhận dạng…"],
  working_part: ["Recognizing: part {done} of {of}…", "Đang nhận dạng: phần {done} / {of}…"],
  waits: ["The text is recognized as soon as the model is here.", "Văn bản sẽ được nhận dạng ngay khi tải xong mô hình."],
  empty_title: ["Nothing recognized yet", "Chưa có kết quả"],
  empty_text: ["Paste a text or pick an example: the entities appear here, highlighted.", "Dán văn bản hoặc chọn một ví dụ: các thực thể sẽ được tô màu tại đây."],
  no_text: ["There is no text yet. Paste one, or pick an example.", "Chưa có văn bản. Hãy dán văn bản hoặc chọn một ví dụ."],
  none_found: ["The model found no entities in this text.", "Mô hình không tìm thấy thực thể nào trong văn bản này."],
  found: ["{count} entities in {words} words, {seconds} s", "{count} thực thể trong {words} từ, {seconds} giây", "1 entity in {words} words, {seconds} s"],
  result: ["Result", "Kết quả"],
  types: ["Types", "Loại thực thể"],
  entities: ["Entities", "Thực thể"],
  entity: ["Entity", "Thực thể"],
  type: ["Type", "Loại"],
  score: ["Confidence", "Độ tin cậy"],
  position: ["Characters", "Vị trí"],
  rows_cut: ["The first {shown} of {count} rows. The download holds all.", "{shown} trong số {count} dòng đầu. Tệp tải về chứa đầy đủ."],
  copy: ["Copy JSONL", "Sao chép JSONL"],
  copied: ["Copied", "Đã sao chép"],
  not_copied: ["The browser does not let this page copy: take the download.", "Trình duyệt không cho phép sao chép: hãy tải tệp về."],
  download: ["Download JSONL", "Tải JSONL"],
  again: ["Try again", "Thử lại"],
  error: ["That did not work", "Không thực hiện được"],
  detail: ["Technical detail", "Chi tiết kỹ thuật (tiếng Anh)"],
  old: [
    "This browser is too old for the page: it needs WebAssembly with SIMD, module workers and decompression, as Chrome, Edge, Firefox and Safari have had since 2023.",
    "Trình duyệt này quá cũ: trang cần WebAssembly với SIMD, module worker và giải nén, có trong Chrome, Edge, Firefox và Safari từ năm 2023.",
  ],
  missing: [
    "The file {path} is not where it should be (status {detail}). Load the page again; if that does not help, the folder was not uploaded as a whole.",
    "Không tìm thấy tệp {path} (mã {detail}). Hãy tải lại trang; nếu không được, thư mục chưa được tải lên đầy đủ.",
  ],
  changed: [
    "The file {path} is not the one that was published ({detail} bytes). It was uploaded in part, or as a Git LFS pointer: upload the folder again.",
    "Tệp {path} khác với tệp đã xuất bản ({detail} byte): có thể chỉ tải lên một phần hoặc là con trỏ Git LFS. Hãy tải thư mục lên lại.",
  ],
  network: [
    "The file {path} did not come through. Check the connection, then try again.",
    "Không tải được tệp {path}. Hãy kiểm tra kết nối rồi thử lại.",
  ],
  memory: [
    "This device has too little free memory for the model. Close other tabs, then try again, or use a computer.",
    "Thiết bị không đủ bộ nhớ trống cho mô hình. Hãy đóng các thẻ khác rồi thử lại, hoặc dùng máy tính.",
  ],
  reads_otherwise: [
    "This browser cuts the model's test texts into other words than viner does, so its answers could not be trusted. Use another browser.",
    "Trình duyệt này tách từ các văn bản kiểm tra khác với viner nên kết quả không đáng tin. Hãy dùng trình duyệt khác.",
  ],
  broken: ["The model could not be started or failed. Load the page again.", "Mô hình không khởi động được hoặc gặp lỗi. Hãy tải lại trang."],
  half_character: [
    "The text holds half of a character (a lone surrogate), so it is damaged. Paste it again.",
    "Văn bản bị hỏng: có một nửa ký tự (surrogate đơn lẻ). Hãy dán lại.",
  ],
  no_number: ["The model answers with something that is no number. It must be trained again.", "Mô hình trả lời giá trị không phải số. Cần huấn luyện lại."],
  differs: [
    "On this device, the model's test text has other entities than where the page was made: answers may differ slightly from the server's.",
    "Trên thiết bị này, văn bản kiểm tra cho kết quả khác với nơi tạo trang: kết quả có thể hơi khác so với máy chủ.",
  ],
  made_with: ["Made with viner {viner}; {runtime}", "Tạo bằng viner {viner}; {runtime}"],
};

/** The language that was chosen on this page, else the first of the browser's that it speaks. @returns {"en" | "vi"} */
export function preferredLanguage() {
  const wanted = [remembered(), ...(navigator.languages ?? [])].map((tag) => String(tag).toLowerCase().split("-")[0]);
  return LANGUAGES.find((language) => language === wanted.find((tag) => LANGUAGES.some((known) => known === tag))) ?? "en";
}

const KEY = "viner-language";

function remembered() {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null; // storage is switched off
  }
}

/** @param {string} language */
export function remember(language) {
  try {
    localStorage.setItem(KEY, language);
  } catch {
    // then it is asked of the browser next time
  }
}

/**
 * @param {"en" | "vi"} language
 * @returns {(key: string, values?: Record<string, any>) => string}
 */
export function messagesOf(language) {
  const format = (/** @type {any} */ value) => (typeof value === "number" ? value.toLocaleString(language) : String(value));
  return (key, values = {}) => {
    const forms = MESSAGES[key] ?? MESSAGES.broken;
    const form = language === "vi" ? forms[1] : values.count === 1 && forms[2] ? forms[2] : forms[0];
    return form.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? format(values[name]) : whole));
  };
}
