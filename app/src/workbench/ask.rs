//! The desktop's own dialogs for paths.

use std::time::{Duration, Instant};

use crate::session::{News, Saved};

/// A dialog that answers sooner than this was not seen by anybody: there is no desktop portal.
const UNSEEN: Duration = Duration::from_millis(1000);

/// Asks the desktop for a folder.
pub(crate) fn folder() -> News {
    let asked = Instant::now();
    let paths = rfd::FileDialog::new()
        .set_title("Open a study folder")
        .pick_folder()
        .into_iter()
        .collect();
    News::Paths {
        paths,
        unseen: asked.elapsed() < UNSEEN,
    }
}

/// Asks the desktop where to save.
pub(crate) fn save(what: Saved) -> News {
    let asked = Instant::now();
    let (title, name, kind, ending) = match what {
        Saved::View(_) => ("Save the view", "view.json", "Views", "json"),
        Saved::Picture(_) => ("Save a picture", "picture.png", "PNG pictures", "png"),
    };
    let mut dialog = rfd::FileDialog::new()
        .set_title(title)
        .set_file_name(name)
        .add_filter(kind, &[ending]);
    if matches!(what, Saved::Picture(_)) {
        dialog = dialog
            .add_filter("SVG, with text and lines as vectors", &["svg"])
            .add_filter("PDF, with text and lines as vectors", &["pdf"]);
    }
    match dialog.save_file() {
        Some(path) => News::Save { what, path },
        None => News::Paths {
            paths: Vec::new(),
            unseen: asked.elapsed() < UNSEEN,
        },
    }
}

/// Asks the desktop where to write the history of attempts.
pub(crate) fn attempts() -> News {
    let dialog = rfd::FileDialog::new()
        .set_title("Save the history")
        .set_file_name("attempts.csv")
        .add_filter("Comma-separated table", &["csv"])
        .add_filter("Tab-separated table", &["tsv"])
        .add_filter("JSON", &["json"]);
    News::Attempts(dialog.save_file())
}

/// Asks the desktop for files.
pub(crate) fn files() -> News {
    let asked = Instant::now();
    let dialog = rfd::FileDialog::new()
        .set_title("Open files")
        .add_filter(
            "Volumes, surfaces and studies",
            &["nii", "gz", "gii", "toml", "tsv", "npy"],
        )
        .add_filter("All files", &["*"]);
    News::Paths {
        paths: dialog.pick_files().unwrap_or_default(),
        unseen: asked.elapsed() < UNSEEN,
    }
}

/// Asks the desktop for files to add to what is open.
pub(crate) fn more() -> News {
    let asked = Instant::now();
    let dialog = rfd::FileDialog::new()
        .set_title("Add maps, regions or surfaces")
        .add_filter(
            "Maps, regions, surfaces, tables",
            &[
                "nii", "gz", "gii", "mgh", "mgz", "annot", "label", "tsv", "csv",
            ],
        )
        .add_filter("All files", &["*"]);
    match dialog.pick_files() {
        Some(add) => News::Instead {
            open: Vec::new(),
            add,
        },
        None => News::Paths {
            paths: Vec::new(),
            unseen: asked.elapsed() < UNSEEN,
        },
    }
}

/// Asks the desktop where to write regions.
pub(crate) fn export(names: Vec<String>) -> News {
    let asked = Instant::now();
    let path = rfd::FileDialog::new()
        .set_title("Export regions")
        .set_file_name("regions.nii.gz")
        .add_filter("Regions", &["gz", "nii", "gii", "label", "annot"])
        .save_file();
    News::Export {
        names,
        path,
        unseen: asked.elapsed() < UNSEEN,
    }
}

/// Asks the desktop where to write a table.
pub(crate) fn table(text: String) -> News {
    let asked = Instant::now();
    let path = rfd::FileDialog::new()
        .set_title("Save the table")
        .set_file_name("table.tsv")
        .add_filter("Tab-separated table", &["tsv", "txt"])
        .save_file();
    News::Table {
        text,
        path,
        unseen: asked.elapsed() < UNSEEN,
    }
}
