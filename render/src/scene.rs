//! What can be drawn, as plain values built anew for each frame.
//!
//! World coordinates are millimetres, RAS+. Heavy parts are shared (`Arc`) and
//! carry an id and a revision: the GPU caches key on them, so building a scene
//! costs nothing and uploading happens once.

use std::borrow::Cow;
use std::sync::Arc;

use glam::{Affine3A, Vec3};

use crate::camera::Camera;
use crate::coarse::coarser;
use crate::colormap::Colormap;

/// Names a heavy value for the caches. Equal keys must mean equal contents.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key {
    /// Which value.
    pub id: u64,
    /// Counts its changes.
    pub revision: u64,
}

/// A picture to be drawn.
#[derive(Clone, Debug)]
pub struct Scene {
    /// Behind everything: straight sRGB; alpha 0 leaves it open, for figures.
    pub background: [u8; 4],
    /// The content.
    pub view: View,
}

/// The kinds of picture.
#[derive(Clone, Debug)]
pub enum View {
    /// A plane through volumes.
    Slice(SliceView),
    /// Surfaces and solid volumes in perspective or orthographic projection.
    Surfaces(SurfaceView),
}

/// The three planes, in world space.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Plane {
    /// Constant z; anterior up.
    Axial,
    /// Constant y; superior up.
    Coronal,
    /// Constant x; superior up, anterior to the left of the picture.
    Sagittal,
}

/// A plane through one or more volumes.
#[derive(Clone, Debug)]
pub struct SliceView {
    /// Which plane.
    pub plane: Plane,
    /// The world point (mm) in the middle of the picture; its off-plane coordinate picks the slice.
    pub centre_mm: Vec3,
    /// Millimetres a pixel: the zoom.
    pub mm_per_pixel: f32,
    /// Whether the subject's right is on the picture's left (axial and coronal).
    pub radiological: bool,
    /// Whether anterior is on the right of sagittal pictures; else on the left.
    pub nose_right: bool,
    /// How much of what lies before and behind the plane is looked through: half the thickness in mm. Each pixel shows
    /// the number of largest magnitude on its way; borders become silhouettes. Infinite for a glass brain.
    pub slab_mm: Option<f32>,
    /// From bottom to top.
    pub layers: Vec<VolumeLayer>,
    /// Region borders drawn over the layers, one line a region; later ones over earlier.
    pub outlines: Vec<OutlineLayer>,
    /// Where the crosshair is (world mm), and its colour.
    pub crosshair: Option<(Vec3, [u8; 4])>,
}

/// Numbers on a grid.
#[derive(Clone, Debug)]
pub struct VolumeData {
    /// For the caches.
    pub key: Key,
    /// Voxels along i, j, k.
    pub shape: [usize; 3],
    /// World millimetres of voxel centres.
    pub world_from_voxel: Affine3A,
    /// i fastest. NaN is drawn transparent.
    pub data: Arc<[f32]>,
}

/// A volume and how it looks.
#[derive(Clone, Debug)]
pub struct VolumeLayer {
    /// The numbers.
    pub volume: VolumeData,
    /// Trilinear between voxel centres, or the nearest voxel.
    pub linear: bool,
    /// Colours.
    pub look: Look,
    /// Opacity taken from another volume, times that of the look.
    pub modulation: Option<Modulation>,
}

/// Opacity from the magnitudes of a second volume, on any grid.
#[derive(Clone, Debug)]
pub struct Modulation {
    /// The numbers, sampled as the layer they belong to.
    pub volume: VolumeData,
    /// The magnitudes of opacity 0 and 1; between them it rises evenly.
    pub range: (f32, f32),
}

/// The colour (straight sRGB) of each region key.
pub type RegionColours = Arc<[(i32, [u8; 4])]>;

/// Region borders of an integer volume.
#[derive(Clone, Debug)]
pub struct OutlineLayer {
    /// Region keys as floats (whole numbers); 0 is no region.
    pub labels: VolumeData,
    /// Colour of each region key; a key that is missing is not outlined.
    pub colours: RegionColours,
    /// Line width in pixels.
    pub width_px: f32,
}

/// From number to colour.
#[derive(Clone, Debug, PartialEq)]
pub struct Look {
    /// The colours.
    pub colormap: Colormap,
    /// The numbers at the two ends of the colour map. With `two_sided`, `low..high` are magnitudes: the
    /// upper half of the map serves positive numbers and the lower half, mirrored, negative ones.
    pub range: (f32, f32),
    /// Numbers below this are transparent; with `two_sided`, numbers of smaller magnitude. 0 shows all.
    pub threshold: f32,
    /// A soft threshold: below it opacity falls with the square of number / threshold instead of ending.
    pub soft: bool,
    /// Whether negative numbers are coloured by their magnitude on the lower half of the map.
    pub two_sided: bool,
    /// 0 to 1.
    pub opacity: f32,
}

/// Surfaces, and volumes looked into.
#[derive(Clone, Debug)]
pub struct SurfaceView {
    /// From where.
    pub camera: Camera,
    /// Surfaces.
    pub meshes: Vec<MeshLayer>,
    /// Volumes, cast by rays and hidden by solid surfaces before them.
    pub solids: Vec<SolidLayer>,
    /// What is cut away of `solids`; at most six.
    pub clips: Vec<ClipPlane>,
    /// A marker at a world point: radius in mm and colour.
    pub marker: Option<(Vec3, f32, [u8; 4])>,
}

/// A triangle mesh.
#[derive(Clone, Debug)]
pub struct MeshData {
    /// For the caches.
    pub key: Key,
    /// World mm.
    pub vertices: Arc<[Vec3]>,
    /// Counter-clockwise from outside.
    pub triangles: Arc<[[u32; 3]]>,
}

/// Another place for each vertex of a mesh.
#[derive(Clone, Debug)]
pub struct Places {
    /// For the caches.
    pub key: Key,
    /// World mm, in vertex order.
    pub vertices: Arc<[Vec3]>,
}

/// A volume sampled in every pixel of a mesh, on the way through the cortex from one surface to another.
#[derive(Clone, Debug)]
pub struct Sampled {
    /// The inner end of each vertex's way (white matter).
    pub inner: Places,
    /// Its outer end (pia).
    pub outer: Places,
    /// What is sampled, and its colours.
    pub layer: VolumeLayer,
    /// The part of the way that counts: 0 is the inner end, 1 the outer.
    pub depth: (f32, f32),
    /// Samples, evenly spaced over `depth`, both ends included (one lies in the middle); those that are NaN or outside
    /// the volume are left out of their mean. 1 to 32.
    pub n_layers: u32,
}

/// A volume looked into.
#[derive(Clone, Debug)]
pub struct SolidLayer {
    /// The volume and its colours; of `look`, opacity is that of one millimetre of matter.
    pub layer: VolumeLayer,
    /// How what lies on a ray becomes one colour.
    pub cast: Cast,
    /// A step of a ray, in edges of the volume's smallest voxel side: 0.5 is smooth, 1 or 2 quick.
    pub step_voxels: f32,
}

/// How what lies on a ray becomes one colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cast {
    /// Light is absorbed and given from front to back, shaded by the gradient.
    Shaded,
    /// The number of largest magnitude.
    Maximum,
}

/// Keeps the points `p` with `normal · p ≤ distance_mm`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ClipPlane {
    /// Unit length, pointing to what is cut away.
    pub normal: Vec3,
    /// From the world's origin.
    pub distance_mm: f32,
}

/// One number a vertex.
#[derive(Clone, Debug)]
pub struct VertexData {
    /// For the caches.
    pub key: Key,
    /// In vertex order. NaN is transparent.
    pub values: Arc<[f32]>,
}

/// A mesh and what is painted on it.
#[derive(Clone, Debug)]
pub struct MeshLayer {
    /// The mesh.
    pub mesh: MeshData,
    /// Another shape of the mesh and the share (0 to 1) by which it is drawn towards it.
    pub toward: Option<(Places, f32)>,
    /// Moves the mesh, world mm (hemispheres drawn apart, an inflated pair side by side).
    pub offset_mm: Vec3,
    /// Sulcal depth or curvature, positive in sulci: drawn as two greys.
    pub sulcal: Option<VertexData>,
    /// A map over it.
    pub overlay: Option<(VertexData, Look)>,
    /// A volume over it, sampled in every pixel; lies over `overlay`.
    pub sampled: Option<Sampled>,
    /// Region keys (whole numbers), outlined with the colour of each key; later ones over earlier.
    pub outlines: Vec<(VertexData, RegionColours)>,
    /// 0 to 1.
    pub opacity: f32,
    /// How much shading shows its form: 1 lit, 0 plain colours, as flat maps want them.
    pub relief: f32,
    /// Whether a large mesh is drawn with fewer triangles, between some of its vertices; picking takes all of them.
    pub coarse: bool,
}

/// Straight RGBA pixels, sRGB, row after row from the top left.
#[derive(Clone, Debug, PartialEq)]
pub struct Picture {
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
    /// Four bytes a pixel.
    pub rgba: Vec<u8>,
}

/// What a pick found under a pixel of a surface view: the nearest of opaque meshes and volumes, or a see-through mesh
/// where nothing else is hit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Pick {
    /// On a mesh.
    Vertex {
        /// Which of `meshes`.
        mesh: usize,
        /// The vertex nearest to the point hit.
        vertex: u32,
        /// The point hit, on the shape that is drawn (mm, before its offset).
        point_mm: Vec3,
    },
    /// In a volume.
    Voxel {
        /// Which of `solids`.
        solid: usize,
        /// Where half of the light is gone, or the voxel of the maximum.
        voxel: [usize; 3],
        /// That point, world mm.
        point_mm: Vec3,
    },
}

impl Pick {
    /// The point hit: of a mesh before its offset, mm.
    pub fn point_mm(&self) -> Vec3 {
        match self {
            Self::Vertex { point_mm, .. } | Self::Voxel { point_mm, .. } => *point_mm,
        }
    }
}

impl MeshLayer {
    /// Where a vertex of the drawn shape is, before its offset.
    pub fn vertex_mm(&self, vertex: usize) -> Option<Vec3> {
        let here = *self.mesh.vertices.get(vertex)?;
        match &self.toward {
            Some((places, share)) => {
                Some(here + (*places.vertices.get(vertex)? - here) * share.clamp(0.0, 1.0))
            }
            None => Some(here),
        }
    }

    /// The triangles that are drawn; worked out anew for each call where they are fewer than the mesh's.
    pub(crate) fn drawn_triangles(&self) -> Cow<'_, [[u32; 3]]> {
        let mesh = &self.mesh;
        let coarse = self
            .coarse
            .then(|| coarser(mesh.vertices.len(), &mesh.triangles));
        coarse
            .flatten()
            .map_or(Cow::Borrowed(&mesh.triangles), Cow::Owned)
    }

    /// The vertices of the drawn shape, before its offset.
    pub(crate) fn drawn_mm(&self) -> Vec<Vec3> {
        (0..self.mesh.vertices.len())
            .filter_map(|v| self.vertex_mm(v))
            .collect()
    }
}

impl SurfaceView {
    /// The view as it is drawn while it moves: coarser meshes, one sample through the cortex, long steps through volumes.
    #[must_use]
    pub fn draft(mut self) -> Self {
        for mesh in &mut self.meshes {
            mesh.coarse = true;
            if let Some(sampled) = &mut mesh.sampled {
                sampled.n_layers = 1;
            }
        }
        for solid in &mut self.solids {
            solid.step_voxels = solid.step_voxels.max(2.0);
        }
        self
    }
}

impl SliceView {
    /// The world point (mm) under a pixel position (pixel centres at halves) of a `size` picture.
    pub fn world_at(&self, pixel: [f32; 2], size: [u32; 2]) -> Vec3 {
        let (right, down) = self.axes();
        let dx = (pixel[0] - size[0] as f32 / 2.0) * self.mm_per_pixel;
        let dy = (pixel[1] - size[1] as f32 / 2.0) * self.mm_per_pixel;
        self.centre_mm + right * dx + down * dy
    }

    /// The pixel position of a world point projected on the plane.
    pub fn pixel_at(&self, world_mm: Vec3, size: [u32; 2]) -> [f32; 2] {
        let (right, down) = self.axes();
        let d = (world_mm - self.centre_mm) / self.mm_per_pixel;
        [
            d.dot(right) + size[0] as f32 / 2.0,
            d.dot(down) + size[1] as f32 / 2.0,
        ]
    }

    /// The voxel of a layer that is shown at a pixel position, exactly; nothing outside the volume. Through a slab it is
    /// the voxel whose number is shown.
    pub fn voxel_at(
        &self,
        layer: &VolumeLayer,
        pixel: [f32; 2],
        size: [u32; 2],
    ) -> Option<[usize; 3]> {
        crate::cpu::voxel_at(self, layer, pixel, size)
    }

    /// Unit world directions of the picture's right and down.
    pub fn axes(&self) -> (Vec3, Vec3) {
        let right = if self.radiological {
            Vec3::NEG_X
        } else {
            Vec3::X
        };
        match self.plane {
            Plane::Axial => (right, Vec3::NEG_Y),
            Plane::Coronal => (right, Vec3::NEG_Z),
            Plane::Sagittal if self.nose_right => (Vec3::Y, Vec3::NEG_Z),
            Plane::Sagittal => (Vec3::NEG_Y, Vec3::NEG_Z),
        }
    }
}

impl SliceView {
    /// The view moved within its plane and zoomed so that a box (lowest and highest corner, world mm) fills a `size`
    /// picture. The slice stays where it is.
    #[must_use]
    pub fn fitted(mut self, bounds_mm: (Vec3, Vec3), size: [u32; 2]) -> Self {
        let (right, down) = self.axes();
        let normal = right.cross(down).abs();
        let middle = (bounds_mm.0 + bounds_mm.1) / 2.0;
        self.centre_mm = middle * (Vec3::ONE - normal) + self.centre_mm * normal;
        self.mm_per_pixel = self.plane.mm_per_pixel(bounds_mm, size);
        self
    }
}

impl Plane {
    /// The zoom (mm a pixel) at which a box (lowest and highest corner, world mm) just fits a `size` picture.
    pub fn mm_per_pixel(self, bounds_mm: (Vec3, Vec3), size: [u32; 2]) -> f32 {
        let extent = (bounds_mm.1 - bounds_mm.0).abs();
        let [across, down] = match self {
            Self::Axial => [extent.x, extent.y],
            Self::Coronal => [extent.x, extent.z],
            Self::Sagittal => [extent.y, extent.z],
        };
        let fit = |mm: f32, pixels: u32| mm / pixels.max(1) as f32;
        fit(across, size[0]).max(fit(down, size[1])).max(1e-4)
    }
}

impl VolumeData {
    /// The box around the volume's voxels (lowest and highest corner, world mm), their full extent included.
    pub fn bounds_mm(&self) -> (Vec3, Vec3) {
        let [i, j, k] = self.shape.map(|n| n as f32 - 0.5);
        let corners = [0, 1, 2, 3, 4, 5, 6, 7].map(|corner| {
            let pick = |bit: u32, high: f32| if corner & bit == 0 { -0.5 } else { high };
            self.world_from_voxel
                .transform_point3(Vec3::new(pick(1, i), pick(2, j), pick(4, k)))
        });
        box_around(corners).unwrap_or((Vec3::ZERO, Vec3::ZERO))
    }
}

/// The box around meshes where they are drawn, offsets included (lowest and highest corner, world mm); nothing without
/// vertices.
pub fn bounds(meshes: &[MeshLayer]) -> Option<(Vec3, Vec3)> {
    box_around(
        meshes
            .iter()
            .flat_map(|layer| layer.drawn_mm().into_iter().map(|v| v + layer.offset_mm)),
    )
}

fn box_around(points: impl IntoIterator<Item = Vec3>) -> Option<(Vec3, Vec3)> {
    points
        .into_iter()
        .filter(|p| p.is_finite())
        .fold(None, |bounds, p| {
            let (low, high) = bounds.unwrap_or((p, p));
            Some((low.min(p), high.max(p)))
        })
}
