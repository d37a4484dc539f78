//! Reading a saved layout: what can be read is kept, whatever version wrote it, and what cannot is named.
//!
//! A layout holds regions that took somebody an hour to draw. One damaged number, or a version that saves other fields,
//! must not cost them.

use std::collections::BTreeMap;
use std::sync::Arc;

use egui_tiles::{Container, Tile, TileId, Tiles, Tree};
use fusiform_pipelines::roi::Roi;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::{Layout, Pane, Regions, VERSION, View};

/// Reads the saved form, of this version or another. Also gives a sentence for each part that was left out.
pub(super) fn read(text: &str) -> (Layout, Vec<String>) {
    let mut left_out = Vec::new();
    let mut layout = Layout::default();
    let mut saved = match serde_json::from_str::<Value>(text) {
        Ok(Value::Object(saved)) => saved,
        Ok(_) => {
            left_out.push("all of it: it is no layout".to_owned());
            return (layout, left_out);
        }
        Err(damage) => {
            left_out.push(format!("all of it: it breaks off or is damaged ({damage})"));
            return (layout, left_out);
        }
    };
    let version = saved.get("version").and_then(Value::as_u64);
    if version.is_none_or(|version| version > u64::from(VERSION)) {
        left_out.push(
            "a newer version of the program saved it; what this one knows is kept".to_owned(),
        );
    }
    if let Some(tree) = saved.remove("tree") {
        match parsed::<Tree<Pane>>(tree).and_then(whole_tree) {
            Ok(tree) => layout.tree = tree,
            Err(why) => left_out.push(format!("the arrangement of the panels ({why})")),
        }
    }
    match saved.remove("view") {
        Some(Value::Object(fields)) => layout.view = view(fields, &mut left_out),
        Some(_) => left_out.push("what was shown".to_owned()),
        None => {}
    }
    if let Some(Value::Object(kept)) = saved.remove("kept") {
        for (subject, regions) in kept {
            let regions = self::regions(regions, &format!("of {subject}"), &mut left_out);
            layout.kept.insert(subject, regions);
        }
    }
    take(
        &mut saved,
        "dark",
        "dark or light",
        &mut layout.dark,
        &mut left_out,
    );
    take(
        &mut saved,
        "recent",
        "what was opened lately",
        &mut layout.recent,
        &mut left_out,
    );
    take(
        &mut saved,
        "mouse",
        "the mouse preset",
        &mut layout.mouse,
        &mut left_out,
    );
    (layout, left_out)
}

fn take<T: DeserializeOwned>(
    saved: &mut Map<String, Value>,
    field: &str,
    words: &str,
    into: &mut T,
    left_out: &mut Vec<String>,
) {
    match saved.remove(field).map(parsed::<T>) {
        Some(Ok(value)) => *into = value,
        Some(Err(why)) => left_out.push(format!("{words} ({why})")),
        None => {}
    }
}

fn parsed<T: DeserializeOwned>(value: Value) -> Result<T, String> {
    serde_json::from_value(value).map_err(|error| error.to_string())
}

/// A view of the fields that can be read and are sane, each held against the default ones.
fn view(fields: Map<String, Value>, left_out: &mut Vec<String>) -> View {
    let fresh = View::default();
    let Ok(Value::Object(mut good)) = serde_json::to_value(&fresh) else {
        return fresh;
    };
    let mut own = Regions::default();
    for (name, value) in fields {
        if name == "regions" {
            own = regions(value, "of the view", left_out);
            continue;
        }
        // A field of another version says nothing to this one.
        let Some(before) = good.get(&name).cloned() else {
            continue;
        };
        good.insert(name.clone(), value);
        let sane = parsed::<View>(Value::Object(good.clone())).is_ok_and(|view| view.is_sane());
        if !sane {
            good.insert(name.clone(), before);
            left_out.push(format!("of the view: {}", name.replace('_', " ")));
        }
    }
    let mut view = parsed::<View>(Value::Object(good)).unwrap_or(fresh);
    view.regions = own;
    view
}

/// Regions, each by itself.
fn regions(value: Value, whose: &str, left_out: &mut Vec<String>) -> Regions {
    let Value::Object(mut fields) = value else {
        left_out.push(format!("the regions {whose}"));
        return Regions::default();
    };
    let drawn = fields.remove("own");
    let mut regions = Regions::default();
    if let Some(Value::Array(drawn)) = drawn {
        for one in drawn {
            let name = one.get("name").and_then(Value::as_str);
            let name = name.unwrap_or("without a name").to_owned();
            match parsed::<Roi>(one) {
                Ok(roi) => regions.own.push(Arc::new(roi)),
                Err(why) => left_out.push(format!("the region {name} {whose} ({why})")),
            }
        }
    } else if drawn.is_some() {
        left_out.push(format!("the drawn regions {whose}"));
    }
    let words = |what: &str| format!("{what} of regions {whose}");
    take(
        &mut fields,
        "hidden",
        &words("the hiding"),
        &mut regions.hidden,
        left_out,
    );
    take(
        &mut fields,
        "only",
        &words("the choice"),
        &mut regions.only,
        left_out,
    );
    take(
        &mut fields,
        "colours",
        &words("the colours"),
        &mut regions.colours,
        left_out,
    );
    take(
        &mut fields,
        "names",
        &words("the names"),
        &mut regions.names,
        left_out,
    );
    regions
}

/// A tree that holds every panel once: panels that came with a later version go where the time course is.
fn whole_tree(mut tree: Tree<Pane>) -> Result<Tree<Pane>, String> {
    let root = tree.root().ok_or("it is empty")?;
    let mut found: BTreeMap<Pane, usize> = BTreeMap::new();
    panes(&tree.tiles, root, 0, &mut found);
    let n_panes = tree
        .tiles
        .tiles()
        .filter(|tile| matches!(tile, Tile::Pane(_)));
    if found.values().sum::<usize>() != n_panes.count() {
        return Err("a panel cannot be reached".to_owned());
    }
    if found.values().any(|&n| n > 1) {
        return Err("a panel is there twice".to_owned());
    }
    let missing: Vec<Pane> = Pane::ALL
        .into_iter()
        .filter(|pane| !found.contains_key(pane))
        .collect();
    if missing.is_empty() {
        return Ok(tree);
    }
    let beside = [Pane::TimeCourse, Pane::Trials, Pane::Slices];
    let beside = beside.iter().find_map(|pane| tree.tiles.find_pane(pane));
    let tabs = beside
        .and_then(|pane| tree.tiles.parent_of(pane))
        .ok_or("it has no tabs")?;
    for pane in missing {
        let tile = tree.tiles.insert_pane(pane);
        match tree.tiles.get_mut(tabs) {
            Some(Tile::Container(Container::Tabs(tabs))) => tabs.add_child(tile),
            _ => return Err("panels are missing".to_owned()),
        }
    }
    Ok(tree)
}

/// Counts the panels under a tile. A damaged tree may hold a circle, hence the depth.
fn panes(tiles: &Tiles<Pane>, tile: TileId, depth: usize, found: &mut BTreeMap<Pane, usize>) {
    match tiles.get(tile) {
        Some(Tile::Pane(pane)) => *found.entry(*pane).or_default() += 1,
        Some(Tile::Container(container)) if depth < 32 => {
            for child in container.children() {
                panes(tiles, *child, depth + 1, found);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::default_tree;

    #[test]
    fn panels_of_later_versions_come_as_tabs_and_panels_twice_do_not() {
        let mut tree = default_tree();
        let select = tree.tiles.find_pane(&Pane::Select).expect("a pane");
        tree.remove_recursively(select);
        let tree = whole_tree(tree).expect("mended");
        let select = tree.tiles.find_pane(&Pane::Select).expect("it is back");
        let course = tree.tiles.find_pane(&Pane::TimeCourse).expect("a pane");
        assert_eq!(tree.tiles.parent_of(select), tree.tiles.parent_of(course));

        let mut tree = default_tree();
        let select = tree.tiles.find_pane(&Pane::Select).expect("a pane");
        *tree.tiles.get_mut(select).expect("a tile") = Tile::Pane(Pane::Log);
        assert!(whole_tree(tree).is_err());
    }
}
