//! Reads text files, packed or not, and writes them.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;

/// The text of `path`; one that ends with `.gz` is unpacked.
pub fn read(path: &Path) -> Result<String, String> {
    let shown = path.display();
    let bytes = fs::read(path).map_err(|error| format!("{shown}: {error}"))?;
    if path.extension().is_some_and(|ending| ending == "gz") {
        let mut text = String::new();
        let unpacked = GzDecoder::new(bytes.as_slice()).read_to_string(&mut text);
        return unpacked.map(|_| text).map_err(|error| format!("{shown}: can't be unpacked: {error}"));
    }
    String::from_utf8(bytes).map_err(|_| format!("{shown}: is no text; a packed file must end with .gz"))
}

/// The text of `name` in `folder`, or of `name.gz` there.
pub fn read_in(folder: &Path, name: &str) -> Result<String, String> {
    let plain = folder.join(name);
    if plain.exists() {
        return read(&plain);
    }
    let packed: PathBuf = folder.join(format!("{name}.gz"));
    if packed.exists() {
        return read(&packed);
    }
    Err(format!("{}: neither {name} nor {name}.gz is there", folder.display()))
}

/// Writes `text` to `name` in `folder`, which is made if it is not there.
pub fn write_in(folder: &Path, name: &str, text: &str) -> Result<PathBuf, String> {
    let path = folder.join(name);
    let written = fs::create_dir_all(folder).and_then(|()| fs::write(&path, text));
    written.map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(path)
}
