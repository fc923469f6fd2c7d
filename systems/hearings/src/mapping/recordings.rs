//! Where a hearing can be watched.
//!
//! Owns the three columns of a recording. Only the first recording of a meeting has a place; its name is the meeting's title
//! over again and is not kept.

use plimsoll_core::value::Value;
use plimsoll_engine::change::context::CurrentRow;

use crate::rules::Meeting;

/// The columns that the stated recordings give. What follows from an address is written with the address only, so
/// that a row whose kind was put right by hand stays as it is.
pub(super) fn stated(meeting: &Meeting, row: Option<&CurrentRow>) -> Vec<(&'static str, Value)> {
    let Some(videos) = &meeting.videos else { return Vec::new() };
    let video = videos.first().map(String::as_str);
    if row.is_some_and(|row| row.get("video_url").as_text() == video) {
        return Vec::new();
    }
    vec![
        ("video_url", Value::optional_text(video)),
        ("youtube_video_id", Value::optional_text(video.and_then(youtube_id))),
        ("video_type", Value::optional_text(video.map(kind))),
    ]
}

/// YouTube's identifier in an address of YouTube, or of congress.gov's page for a YouTube recording.
pub fn youtube_id(address: &str) -> Option<&str> {
    let marks = ["youtube.com/watch?v=", "youtube.com/embed/", "youtube.com/live/", "youtu.be/"];
    let after =
        marks.iter().find_map(|mark| address.split_once(mark).map(|(_, after)| after)).or_else(|| {
            address.contains("congress.gov/committees/video/").then(|| address.rsplit('/').next()).flatten()
        })?;
    let id = after.split(['?', '&', '#', '/']).next()?;
    let fits = id.len() == 11 && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    fits.then_some(id)
}

/// The kind of place that an address leads to.
pub fn kind(address: &str) -> &'static str {
    let leads = |mark: &str| address.contains(mark);
    if leads("youtube.com") || leads("youtu.be") {
        "youtube"
    } else if leads("senate.gov/isvp") {
        "senate_isvp"
    } else if leads("house.gov") {
        "house_video"
    } else if leads("congress.gov/committees/video") {
        "committee_video"
    } else {
        "event_page"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_recordings() {
        let cases = [
            ("https://www.youtube.com/watch?v=yv8VUIRAm7k&t=5", Some("yv8VUIRAm7k"), "youtube"),
            ("https://youtu.be/yv8VUIRAm7k?si=x", Some("yv8VUIRAm7k"), "youtube"),
            ("https://www.youtube.com/live/yv8VUIRAm7k", Some("yv8VUIRAm7k"), "youtube"),
            (
                "https://www.congress.gov/committees/video/house-appropriations/hshm12/yv8VUIRAm7k",
                Some("yv8VUIRAm7k"),
                "committee_video",
            ),
            ("https://www.congress.gov/committees/video/x/hshm12/short", None, "committee_video"),
            ("https://www.senate.gov/isvp/?comm=judiciary", None, "senate_isvp"),
            ("https://www.congress.gov/event/119th-congress/senate-event/336500", None, "event_page"),
        ];
        for (address, id, wanted) in cases {
            assert_eq!((youtube_id(address), kind(address)), (id, wanted), "{address}");
        }
    }
}
