//! Lets a shared library be loaded although some names it mentions are nowhere to be found.
//!
//! Owns one change to an ELF file: names that the library expects from elsewhere are marked weak. The
//! loader gives a weak name that nobody defines the address zero, where it refuses to load the library
//! for a strong one. Code that would use such a name must not be called; for DuckDB's Python module that
//! is the Python side, which nothing of the C API reaches.
//!
//! The file keeps its length, and nothing but the binding bits of the chosen symbols changes. Read:
//! 64-bit little-endian ELF, its section headers, and the tables `.dynsym` and its string table
//! (System V ABI, chapter 4; section type 11 is SHT_DYNSYM).

use std::ops::Range;

use crate::failure::Failure;

const DYNAMIC_SYMBOLS: u32 = 11;
const SYMBOL_SIZE: usize = 24;
const GLOBAL: u8 = 1;
const WEAK: u8 = 2;

/// Marks the undefined global symbols that `chosen` picks as weak; returns how many there were.
pub(super) fn undefined(bytes: &mut [u8], chosen: impl Fn(&str) -> bool) -> Result<usize, Failure> {
    let positions = find(bytes, chosen).ok_or_else(|| {
        Failure::new("the library is not a 64-bit little-endian ELF file with a table of dynamic symbols")
    })?;
    for position in &positions {
        // The binding is in the upper half of the byte, the type in the lower.
        bytes[*position] = (WEAK << 4) | (bytes[*position] & 0x0f);
    }
    Ok(positions.len())
}

/// Positions of the binding bytes; `None` if the file is not what we can read.
fn find(bytes: &[u8], chosen: impl Fn(&str) -> bool) -> Option<Vec<usize>> {
    if bytes.get(..6)? != b"\x7fELF\x02\x01" {
        return None;
    }
    let headers = number(bytes, 0x28, 8)?;
    let size = number(bytes, 0x3a, 2)?;
    let count = number(bytes, 0x3c, 2)?;
    let header = |index: usize| Some(headers + index * size).filter(|_| index < count);

    let symbols = (0..count)
        .filter_map(header)
        .find(|at| number(bytes, at + 4, 4) == usize::try_from(DYNAMIC_SYMBOLS).ok())?;
    let names = range(bytes, header(number(bytes, symbols + 0x28, 4)?)?)?;
    let mut positions = Vec::new();
    for at in range(bytes, symbols)?.step_by(SYMBOL_SIZE) {
        let is_undefined = number(bytes, at + 6, 2)? == 0;
        let binding = at + 4;
        if is_undefined && bytes.get(binding)? >> 4 == GLOBAL {
            let name = bytes.get(names.start + number(bytes, at, 4)?..names.end)?;
            let name = name.split(|byte| *byte == 0).next()?;
            if chosen(std::str::from_utf8(name).ok()?) {
                positions.push(binding);
            }
        }
    }
    Some(positions)
}

/// Where a section's content lies.
fn range(bytes: &[u8], header: usize) -> Option<Range<usize>> {
    let start = number(bytes, header + 0x18, 8)?;
    let end = start.checked_add(number(bytes, header + 0x20, 8)?)?;
    (end <= bytes.len()).then_some(start..end)
}

/// A little-endian number of `size` bytes.
fn number(bytes: &[u8], at: usize, size: usize) -> Option<usize> {
    let mut wide = [0; 8];
    wide[..size].copy_from_slice(bytes.get(at..at.checked_add(size)?)?);
    usize::try_from(u64::from_le_bytes(wide)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_elf_file_is_refused() {
        for bytes in
            [&b""[..], b"\x7fELF", &[0; 100], b"\x7fELF\x02\x01 and then nothing that is an ELF file"]
        {
            assert!(undefined(&mut bytes.to_vec(), |_| true).is_err());
        }
    }

    /// A library that mentions a name of Python's runs a program only after that name is weak.
    #[cfg(all(target_os = "linux", target_pointer_width = "64", target_endian = "little"))]
    #[test]
    fn a_library_with_a_missing_name_runs_once_that_is_weak() {
        use crate::{process, project};
        use std::fs;
        use std::process::Command;

        let folder = project::temporary_folder("weaken-test").unwrap();
        let path = |name: &str| folder.join(name);
        fs::write(
            path("library.c"),
            "extern int PyMissing(void); extern int PyData;\n\
             int *unused(void) { PyMissing(); return &PyData; }\nint answer(void) { return 42; }\n\
             int PyDefinedHere(void) { return 1; }\n",
        )
        .unwrap();
        fs::write(path("program.c"), "int answer(void); int main(void) { return answer(); }\n").unwrap();
        let compile =
            |arguments: &[&str]| process::capture(Command::new("cc").current_dir(&folder).args(arguments));
        compile(&["-shared", "-fPIC", "-o", "libtrial.so", "library.c"]).unwrap();
        let link = ["-o", "program", "program.c", "-L.", "-ltrial", "-Wl,-rpath,$ORIGIN"];
        assert!(compile(&link).is_err(), "the missing names must be noticed, or this test shows nothing");

        let mut bytes = fs::read(path("libtrial.so")).unwrap();
        let length = bytes.len();
        assert_eq!(undefined(&mut bytes, |name| name == "PyOther").unwrap(), 0);
        assert_eq!(undefined(&mut bytes, |name| name.starts_with("Py")).unwrap(), 2);
        assert_eq!(undefined(&mut bytes, |name| name.starts_with("Py")).unwrap(), 0);
        assert_eq!(bytes.len(), length);
        fs::write(path("libtrial.so"), bytes).unwrap();
        compile(&link).unwrap();
        process::capture_with_codes(&mut Command::new(path("program")), &[42]).unwrap();
        fs::remove_dir_all(&folder).unwrap();
    }
}
