//! The page is built by Vite into `web/dist` and embedded. A build without Node gets a page that
//! says so, and a warning.

use std::path::Path;

const NO_PAGE: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Antiphon</title>\
<p>This binary was built without the page. Run <code>make web</code> and build again. The API works.</p></html>\n";

fn main() {
    let dist = Path::new(env!("CARGO_MANIFEST_DIR")).join("../web/dist");
    let index = dist.join("index.html");
    println!("cargo::rerun-if-changed={}", dist.display());
    if index.exists() {
        return;
    }
    println!("cargo::warning=web/dist is missing: the page is left out; run `make web`");
    let written = std::fs::create_dir_all(&dist).and_then(|()| std::fs::write(&index, NO_PAGE));
    if let Err(fault) = written {
        println!("cargo::error=cannot write {}: {fault}", index.display());
    }
}
