//! Words of the invented rows, as text and as Big5.
//!
//! Owns the lists. Everything that names somebody says 示範 (demonstration); districts are real, streets are not. The
//! Big5 bytes are made by `encoding_rs` once, and this file shares no table with the system that reads them.

/// A word in both forms.
#[derive(Debug, Clone)]
pub(super) struct Word {
    /// As text.
    pub(super) text: &'static str,
    /// As Big5.
    pub(super) bytes: Vec<u8>,
}

/// A list of words.
pub(super) fn words(texts: &[&'static str]) -> Vec<Word> {
    texts.iter().map(|text| Word { text, bytes: encoding_rs::BIG5.encode(text).0.into_owned() }).collect()
}

/// How addresses begin: with a city's name, its other way of writing, its name before 2010, another county's, or none.
pub(super) const PLACES: &[&str] = &[
    "台北市信義區",
    "臺北市大安區",
    "新北市板橋區",
    "台北縣板橋市",
    "桃園市中壢區",
    "台中市西屯區",
    "臺南市永康區",
    "高雄市三民區",
    "新竹縣竹北市",
    "信義區",
];
pub(super) const DISTRICTS: &[&str] = &["信義區", "大安區", "板橋區", "中壢區", "西屯區", "三民區"];
pub(super) const AREAS: &[&str] = &["A-瑞光", "B-四維", "C-漢中", "D-東方大鎮", "E-力國"];
pub(super) const STREETS: &[&str] = &["示範路", "示範街", "示範一路", "示範大道"];
pub(super) const SURNAMES: &[&str] = &["林", "陳", "許", "蓋", "游", "嫺", "恒"];
pub(super) const GIVEN: &[&str] = &["示範", "功示範", "碁示範", "示範裏"];
/// Trail bytes that are `\` or `|` in ASCII, rare leads, and a character with two places in other tables.
pub(super) const NOTES: &[&str] =
    &["許功蓋", "後門按鈴", "碁銹裏墻", "€ 5", "先打電話 | 再送", "三樓\\右邊", "恒粧嫺", "十卅", "~ ^ '\""];
pub(super) const PAYMENTS: &[&str] = &["現金", "月結", "轉帳"];
pub(super) const PRICINGS: &[&str] = &["桶", "公斤", "流量"];
pub(super) const TIMES: &[&str] = &["早", "午", "晚", "全天"];
pub(super) const STATUSES: &[&str] = &["待派", "已派", "配送中", "已送達", "取消"];
pub(super) const LICENSES: &[&str] = &["小貨車", "大貨車", "聯結車"];
pub(super) const VEHICLES: &[&str] = &["貨車", "廂型車", "機車"];
pub(super) const UNKNOWN: &[&str] = &["賒帳", "不明", ""];

/// Bytes that no Big5 has: a lead without its trail, a trail that is none, bytes that lead nothing.
pub(super) const BROKEN: &[&[u8]] = &[&[0xA4], &[0xA4, 0x7F], &[0x80], &[0xFF, 0x41], &[b'?', 0xB3, 0x20]];

/// Bytes that one program reads as this and another as that: user-defined ranges, Hong Kong's additions, second places.
pub(super) const FOREIGN: &[&[u8]] =
    &[&[0xC6, 0xA1], &[0xC8, 0xFE], &[0xFA, 0x40], &[0x88, 0x62], &[0xA2, 0xCC], &[0xF9, 0xFE]];

/// Characters of names that Big5 has no place for.
pub(super) const BEYOND: &[&str] = &["堃", "喆", "煊", "栢", "着", "峯", "😀"];
