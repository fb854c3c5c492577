//! `antiphon models list`.

use antiphon_providers::models::{Catalogue, Kind, Licence, Model, ModelsFolder};
use serde::Serialize;

use super::size;

/// A line of the list, as `--json` prints it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ListedModel {
    /// Its name.
    pub name: String,
    /// What it is for.
    pub kind: Kind,
    /// Bytes to download for this machine; zero where it is not made for it.
    pub bytes: u64,
    /// True where it is installed.
    pub installed: bool,
    /// Its folder, where it is installed.
    pub folder: Option<String>,
    /// Its licence.
    pub licence: Licence,
    /// Codes of its languages.
    pub languages: Vec<String>,
    /// What it is.
    pub what: String,
}

/// Prints what there is.
pub(super) fn list(catalogue: &Catalogue, folder: &ModelsFolder, json: bool) {
    let listed = listed(catalogue, folder);
    if json {
        // Strings and numbers: they always serialize.
        println!(
            "{}",
            serde_json::to_string_pretty(&listed).unwrap_or_default()
        );
        return;
    }
    print!("{}", table(&listed));
    println!("\nFolder: {}", folder.path().display());
}

/// The catalogue's models and, after them, installed ones that it does not name.
fn listed(catalogue: &Catalogue, folder: &ModelsFolder) -> Vec<ListedModel> {
    let installed = folder.all();
    let others = installed
        .iter()
        .map(|installed| &installed.model)
        .filter(|model| catalogue.find(&model.name).is_none());
    let line = |model: &Model| {
        let found = installed
            .iter()
            .find(|found| found.model.name == model.name);
        ListedModel {
            name: model.name.clone(),
            kind: model.kind,
            bytes: model.download_bytes(),
            installed: found.is_some(),
            folder: found.map(|found| found.folder.display().to_string()),
            licence: model.licence.clone(),
            languages: model.languages.clone(),
            what: model.what.clone(),
        }
    };
    catalogue.models().iter().chain(others).map(line).collect()
}

fn table(listed: &[ListedModel]) -> String {
    let head = ["NAME", "KIND", "SIZE", "INSTALLED", "LICENCE", "WHAT"].map(str::to_owned);
    let mut rows = vec![head];
    rows.extend(listed.iter().map(|model| {
        [
            model.name.clone(),
            model.kind.as_str().to_owned(),
            if model.bytes == 0 {
                "not for this machine".to_owned()
            } else {
                size(model.bytes)
            },
            if model.installed { "yes" } else { "" }.to_owned(),
            model.licence.name.clone(),
            model.what.clone(),
        ]
    }));
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max();
    let widths: Vec<usize> = (0..5).map(|column| width(column).unwrap_or(0)).collect();
    let mut text = String::new();
    for row in &rows {
        for (cell, width) in row.iter().zip(&widths) {
            text.push_str(&format!("{cell:width$}  "));
        }
        text.push_str(&row[5]);
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_shows_every_model_in_columns() {
        let data = std::env::temp_dir().join("antiphon-no-such-folder");
        let listed = listed(&Catalogue::built_in(), &ModelsFolder::of_data(&data));
        let table = table(&listed);
        let base = table
            .lines()
            .find(|line| line.starts_with("whisper-base.en "))
            .expect("its line");
        assert!(base.contains("hear") && base.contains("148 MB") && base.contains("MIT"));
        let columns: Vec<usize> = table
            .lines()
            .filter_map(|line| line.find("MIT").or(line.find("LICENCE")))
            .collect();
        assert!(columns.windows(2).all(|pair| pair[0] == pair[1]), "{table}");
        assert_eq!(
            table.lines().count(),
            Catalogue::built_in().models().len() + 1
        );
    }
}
