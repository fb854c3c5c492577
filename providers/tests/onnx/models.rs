//! A folder of tiny models.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

/// A folder like that of `antiphon models pull`, removed when dropped.
pub(crate) struct Models {
    folder: PathBuf,
}

impl Models {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let nth = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("antiphon-onnx-{}-{nth}", std::process::id());
        let models = Self {
            folder: std::env::temp_dir().join(name),
        };
        let settings = settings();
        for (folder, graph) in [
            ("piper-tiny", &include_bytes!("piper.onnx")[..]),
            ("piper-durations", include_bytes!("piper_durations.onnx")),
        ] {
            models.write(&format!("{folder}/voice.onnx"), graph);
            models.write(&format!("{folder}/voice.onnx.json"), settings.as_bytes());
        }
        models.write("kokoro/kokoro.onnx", include_bytes!("kokoro.onnx"));
        models.write("kokoro/voices.bin", &archive(&["af_test", "bm_test"]));
        models.write("other/notes.txt", b"no model");
        models
    }

    pub(crate) fn path(&self) -> &Path {
        &self.folder
    }

    pub(crate) fn write(&self, name: &str, bytes: &[u8]) {
        let path = self.folder.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
}

impl Drop for Models {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// Settings as Piper writes them; every sound has the number of its code point.
fn settings() -> String {
    let mut ids = vec!["\"_\": [0], \"^\": [1], \"$\": [2]".to_owned()];
    let letters = ('a'..='z').chain("æðŋɐɑɒɔəɚɛɜɡɪɹɾʃʊʌʒˈˌː .,!?;:θ".chars());
    ids.extend(letters.map(|c| format!("\"{c}\": [{}]", c as u32 % 200 + 3)));
    format!(
        r#"{{"audio": {{"sample_rate": 22050, "quality": "low"}}, "espeak": {{"voice": "en-us"}},
        "inference": {{"noise_scale": 0.667, "length_scale": 1, "noise_w": 0.8}},
        "num_speakers": 1, "phoneme_id_map": {{{}}}}}"#,
        ids.join(", ")
    )
}

/// What `numpy.savez` writes: arrays of 510 styles, stored in a zip archive.
fn archive(names: &[&str]) -> Vec<u8> {
    let mut header =
        "{'descr': '<f4', 'fortran_order': False, 'shape': (510, 1, 256), }".to_owned();
    while !(header.len() + 11).is_multiple_of(64) {
        header.push(' ');
    }
    header.push('\n');
    let mut array = b"\x93NUMPY\x01\x00".to_vec();
    array.extend((header.len() as u16).to_le_bytes());
    array.extend(header.as_bytes());
    array.resize(array.len() + 510 * 256 * 4, 0);
    let (mut bytes, mut directory) = (Vec::new(), Vec::new());
    for name in names {
        let name = format!("{name}.npy");
        let offset = bytes.len() as u32;
        let size = (array.len() as u32).to_le_bytes();
        let mut common = vec![20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        common.extend(size);
        common.extend(size);
        common.extend((name.len() as u16).to_le_bytes());
        bytes.extend(b"PK\x03\x04");
        bytes.extend(&common);
        bytes.extend([0, 0]);
        bytes.extend(name.as_bytes());
        bytes.extend(&array);
        directory.extend(b"PK\x01\x02\x14\x00");
        directory.extend(&common);
        // Extra field, comment, disk, attributes.
        directory.extend([0; 12]);
        directory.extend(offset.to_le_bytes());
        directory.extend(name.as_bytes());
    }
    let at = bytes.len() as u32;
    bytes.extend(&directory);
    bytes.extend(b"PK\x05\x06\0\0\0\0");
    bytes.extend((names.len() as u16).to_le_bytes());
    bytes.extend((names.len() as u16).to_le_bytes());
    bytes.extend((directory.len() as u32).to_le_bytes());
    bytes.extend(at.to_le_bytes());
    bytes.extend([0, 0]);
    bytes
}
