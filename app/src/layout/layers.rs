//! Maps over each other: which, in what order, and which of them is worked on.

use serde::{Deserialize, Serialize};

use super::View;
use crate::session::MapId;

/// A map that lies over the anatomy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Layer {
    /// Which.
    pub map: MapId,
    /// Whether it is drawn.
    pub visible: bool,
}

impl Layer {
    /// It, drawn.
    pub const fn shown(map: MapId) -> Self {
        Self { map, visible: true }
    }
}

impl View {
    /// What lies over the anatomy, from bottom to top. A view that was saved before there were layers has its one map.
    pub fn layers(&self) -> Vec<Layer> {
        match (self.stack.as_slice(), self.map) {
            ([], Some(map)) => vec![Layer::shown(map)],
            (layers, _) => layers.to_vec(),
        }
    }

    /// Puts these layers in the place of all others; `map` is the one that is worked on.
    pub(crate) fn set_layers(&mut self, layers: Vec<Layer>, map: Option<MapId>) {
        let here = |id: &MapId| layers.iter().any(|layer| layer.map == *id);
        let last = layers.last().map(|layer| layer.map);
        self.map = map.filter(here).or(last);
        self.stack = layers;
    }

    /// Shows a map where the one that is worked on was; one that is a layer already is worked on instead. Without a
    /// map, the layer that is worked on goes.
    pub(crate) fn choose(&mut self, map: Option<MapId>) {
        let mut layers = self.layers();
        let here = layers.iter().position(|l| Some(l.map) == self.map);
        match map {
            None => {
                if let Some(here) = here {
                    layers.remove(here);
                }
            }
            Some(map) => {
                if let Some(layer) = layers.iter_mut().find(|layer| layer.map == map) {
                    layer.visible = true;
                } else if let Some(here) = here {
                    layers[here] = Layer::shown(map);
                } else {
                    layers.push(Layer::shown(map));
                }
            }
        }
        self.set_layers(layers, map);
    }

    /// Lays a map over all others.
    pub(crate) fn put_on_top(&mut self, map: MapId) {
        let mut layers = self.layers();
        layers.retain(|layer| layer.map != map);
        layers.push(Layer::shown(map));
        self.set_layers(layers, Some(map));
    }

    /// The layers with this one drawn, or not.
    pub fn with_visible(&self, map: MapId, visible: bool) -> Vec<Layer> {
        let mut layers = self.layers();
        for layer in layers.iter_mut().filter(|layer| layer.map == map) {
            layer.visible = visible;
        }
        layers
    }
}
