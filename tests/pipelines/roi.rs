//! Regions that can be edited: every operation against counting voxel by voxel, files there and back.

#![allow(
    clippy::unwrap_used,
    reason = "a test's helpers fail by panicking, as the test does"
)]

mod files;
mod lines;

use std::collections::BTreeSet;

use fusiform_pipelines::mask::Mask;
use fusiform_pipelines::roi::listing::{self, Listed};
use fusiform_pipelines::roi::transfer::{Sheet, vertices_of, voxels_of};
use fusiform_pipelines::roi::{
    Op, Patch, Roi, above, cluster_at, combine, complement, grown, onto, sets, shrunk,
};
use fusiform_pipelines::run::quietly;
use fusiform_pipelines::space::Grid;
use fusiform_pipelines::surface::{Hemisphere, Surface, VertexLabels};
use fusiform_pipelines::volume::{Atlas, Region, Volume};
use glam::{DAffine3, DMat3, DVec3, Vec3};

/// A generator of numbers that need not be good (Marsaglia 2003, xorshift).
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub(crate) fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 16) as usize % n
    }

    pub(crate) fn part(&mut self) -> f64 {
        self.below(1 << 30) as f64 / f64::from(1 << 30)
    }
}

/// An oblique grid.
pub(crate) fn oblique(shape: [usize; 3]) -> Grid {
    let turn = DMat3::from_rotation_z(0.3) * DMat3::from_rotation_x(-0.2);
    Grid {
        shape,
        world_from_voxel: DAffine3::from_mat3_translation(
            turn * DMat3::from_diagonal(DVec3::new(2.0, 2.5, 3.0)),
            DVec3::new(-11.0, -9.0, 4.0),
        ),
    }
}

fn random(grid: &Grid, dice: &mut Dice, one_in: usize) -> Mask {
    let keep: Vec<bool> = (0..grid.n_voxels())
        .map(|_| dice.below(one_in) == 0)
        .collect();
    Mask::new(grid.clone(), |v| keep[v])
}

fn voxels(mask: &Mask) -> BTreeSet<u32> {
    mask.voxels().iter().copied().collect()
}

fn patch(hemisphere: Hemisphere, n_vertices: usize, vertices: &[u32]) -> Patch {
    Patch {
        hemisphere,
        n_vertices,
        vertices: vertices.into(),
    }
}

#[test]
fn sets_are_those_of_counting() {
    let mut dice = Dice::new(5);
    for _ in 0..200 {
        let mut some =
            || -> BTreeSet<u32> { (0..dice.below(12)).map(|_| dice.below(20) as u32).collect() };
        let (a, b) = (some(), some());
        let list = |set: &BTreeSet<u32>| set.iter().copied().collect::<Vec<u32>>();
        let (x, y) = (list(&a), list(&b));
        assert_eq!(sets::union(&x, &y), list(&(&a | &b)));
        assert_eq!(sets::intersection(&x, &y), list(&(&a & &b)));
        assert_eq!(sets::difference(&x, &y), list(&(&a - &b)));
        let stretches = sets::stretches(&x);
        assert_eq!(sets::from_stretches(&stretches, 20), Some(x));
    }
    // Damaged ones are refused: odd, empty, backwards, overlapping, beyond the end, beyond all numbers.
    for damaged in [
        &[1][..],
        &[1, 0],
        &[5, 1, 2, 1],
        &[1, 3, 3, 1],
        &[8, 3],
        &[u32::MAX, 2],
    ] {
        assert_eq!(sets::from_stretches(damaged, 10), None, "{damaged:?}");
    }
}

#[test]
fn regions_are_combined_voxel_by_voxel_and_vertex_by_vertex() {
    let mut dice = Dice::new(1);
    let grid = oblique([6, 7, 5]);
    let mut a = Roi::of_voxels("a", [1, 2, 3], random(&grid, &mut dice, 2));
    let mut b = Roi::of_voxels("b", [4, 5, 6], random(&grid, &mut dice, 3));
    a.patches = vec![
        patch(Hemisphere::Left, 9, &[1, 4, 5]),
        patch(Hemisphere::Right, 9, &[0, 8]),
    ];
    b.patches = vec![patch(Hemisphere::Left, 9, &[4, 7])];
    let (in_a, in_b) = (
        voxels(a.voxels.as_ref().unwrap()),
        voxels(b.voxels.as_ref().unwrap()),
    );
    for (op, expected, left, right) in [
        (Op::Union, &in_a | &in_b, vec![1, 4, 5, 7], vec![0, 8]),
        (Op::Intersection, &in_a & &in_b, vec![4], vec![]),
        (Op::Difference, &in_a - &in_b, vec![1, 5], vec![0, 8]),
    ] {
        let both = combine(op, &a, &b).unwrap();
        assert_eq!(voxels(both.voxels.as_ref().unwrap()), expected);
        assert_eq!(*both.patch(Hemisphere::Left).unwrap().vertices, left);
        assert_eq!(*both.patch(Hemisphere::Right).unwrap().vertices, right);
        assert_eq!(both.name, format!("a {} b", op.word()));
        assert_eq!(both.colour, a.colour);
    }
    let within = random(&grid, &mut dice, 2);
    let rest = complement(&a, &within).unwrap();
    assert_eq!(
        voxels(rest.voxels.as_ref().unwrap()),
        &voxels(&within) - &in_a
    );

    // What is not known of one is not known of both, and where nothing is known it is an error that names them.
    let sheet_only = Roi {
        voxels: None,
        ..b.clone()
    };
    assert_eq!(combine(Op::Union, &a, &sheet_only).unwrap().voxels, None);
    let volume_only = Roi {
        patches: Vec::new(),
        name: "volume".into(),
        ..a.clone()
    };
    let error = combine(Op::Union, &volume_only, &sheet_only)
        .unwrap_err()
        .to_string();
    assert!(error.contains("volume and b"), "{error}");
    let other_mesh = Roi {
        patches: vec![patch(Hemisphere::Left, 12, &[3])],
        ..b
    };
    let error = combine(Op::Union, &a, &other_mesh).unwrap_err().to_string();
    assert!(error.contains('9') && error.contains("12"), "{error}");
}

#[test]
fn a_region_on_another_grid_is_brought_over_by_voxel_centres() {
    let mut dice = Dice::new(2);
    let coarse = oblique([6, 7, 5]);
    let fine = Grid {
        shape: [15, 16, 14],
        world_from_voxel: DAffine3::from_scale_rotation_translation(
            DVec3::splat(1.3),
            glam::DQuat::from_rotation_y(0.4),
            DVec3::new(-12.0, -8.0, 5.0),
        ),
    };
    let mask = random(&coarse, &mut dice, 2);
    let members = voxels(&mask);
    let expected: BTreeSet<u32> = (0..fine.n_voxels())
        .filter(|&v| {
            let there = coarse.voxel_at(fine.world(fine.ijk(v)));
            there.is_some_and(|ijk| members.contains(&(coarse.index(ijk) as u32)))
        })
        .map(|v| v as u32)
        .collect();
    assert!(expected.len() > 20);
    assert_eq!(voxels(&onto(&mask, &fine)), expected);
    assert!(onto(&Mask::of(coarse, vec![]), &fine).is_empty());
}

#[test]
fn maps_become_regions_above_a_threshold() {
    let mut dice = Dice::new(3);
    let grid = oblique([9, 8, 7]);
    let data: Vec<f32> = (0..grid.n_voxels())
        .map(|_| dice.part() as f32 * 10.0 - 5.0)
        .collect();
    let map = Volume {
        data: data
            .iter()
            .enumerate()
            .map(|(v, &x)| if v % 11 == 0 { f32::NAN } else { x })
            .collect(),
        grid: grid.clone(),
        assumptions: Vec::new(),
    };
    for two_sided in [false, true] {
        let expected: BTreeSet<u32> = (0..map.data.len())
            .filter(|&v| map.data[v] > 1.0 || two_sided && map.data[v] < -1.0)
            .map(|v| v as u32)
            .collect();
        assert_eq!(voxels(&above(&map, 1.0, two_sided)), expected);
        // A cluster by repeated passes: what shares a face with a member becomes one, until nothing changes.
        let at = |v: usize| map.data[v];
        for seed in (0..map.data.len())
            .filter(|&v| at(v).abs() > 1.0)
            .step_by(37)
        {
            let place = grid.world(grid.ijk(seed));
            if at(seed) < 0.0 && !two_sided {
                let error = cluster_at(&map, 1.0, false, place).unwrap_err().to_string();
                assert!(error.contains("not above"), "{error}");
                continue;
            }
            let sign = at(seed).signum();
            let mut cluster = BTreeSet::from([seed]);
            loop {
                let before = cluster.len();
                for v in 0..map.data.len() {
                    let [i, j, k] = grid.ijk(v);
                    let near = cluster.iter().any(|&u| {
                        let [a, b, c] = grid.ijk(u);
                        i.abs_diff(a) + j.abs_diff(b) + k.abs_diff(c) == 1
                    });
                    if near && at(v) * sign > 1.0 {
                        cluster.insert(v);
                    }
                }
                if cluster.len() == before {
                    break;
                }
            }
            let found = cluster_at(&map, 1.0, two_sided, place).unwrap();
            let expected = cluster.into_iter().map(|v| v as u32).collect();
            assert_eq!(voxels(&found), expected);
        }
    }
    assert!(cluster_at(&map, 1.0, false, DVec3::splat(500.0)).is_err());
}

#[test]
fn regions_grow_and_shrink_by_one() {
    let mut dice = Dice::new(4);
    let grid = oblique([7, 6, 8]);
    let (surface, _) = strip();
    let n = surface.vertices.len();
    let triangles = |_| Some(&*surface.triangles);
    for _ in 0..5 {
        let mut roi = Roi::of_voxels("r", [0; 3], random(&grid, &mut dice, 3));
        let some: BTreeSet<u32> = (0..8).map(|_| dice.below(n) as u32).collect();
        roi.patches = vec![patch(
            Hemisphere::Left,
            n,
            &some.iter().copied().collect::<Vec<_>>(),
        )];
        let inside = voxels(roi.voxels.as_ref().unwrap());
        let touches = |v: usize, wanted: bool| {
            let [i, j, k] = grid.ijk(v).map(|x| x as i64);
            [
                [1, 0, 0],
                [-1, 0, 0],
                [0, 1, 0],
                [0, -1, 0],
                [0, 0, 1],
                [0, 0, -1],
            ]
            .iter()
            .any(|d| {
                let to = [i + d[0], j + d[1], k + d[2]];
                let within = (0..3).all(|a| (0..grid.shape[a] as i64).contains(&to[a]));
                let there = within && inside.contains(&(grid.index(to.map(|x| x as usize)) as u32));
                there == wanted
            })
        };
        let all = 0..grid.n_voxels() as u32;
        let larger: BTreeSet<u32> = all
            .clone()
            .filter(|v| inside.contains(v) || touches(*v as usize, true))
            .collect();
        let smaller: BTreeSet<u32> = all
            .filter(|v| inside.contains(v) && !touches(*v as usize, false))
            .collect();
        let joined = |a: u32, b: u32| {
            surface
                .triangles
                .iter()
                .any(|t| t.contains(&a) && t.contains(&b))
        };
        let vertices = 0..n as u32;
        let wider: Vec<u32> = vertices
            .clone()
            .filter(|&v| some.contains(&v) || some.iter().any(|&s| joined(s, v)))
            .collect();
        let narrower: Vec<u32> = vertices
            .clone()
            .filter(|v| {
                some.contains(v)
                    && vertices
                        .clone()
                        .all(|o| some.contains(&o) || !joined(o, *v))
            })
            .collect();
        let (big, small) = (grown(&roi, triangles), shrunk(&roi, triangles));
        assert_eq!(voxels(big.voxels.as_ref().unwrap()), larger);
        assert_eq!(voxels(small.voxels.as_ref().unwrap()), smaller);
        assert_eq!(*big.patches[0].vertices, wider);
        assert_eq!(*small.patches[0].vertices, narrower);
    }
}

/// A flat sheet of 13 × 9 vertices, 2 mm apart, and its copy 3 mm above.
pub(crate) fn strip() -> (Surface, Surface) {
    let at = |z: f32| -> Vec<Vec3> {
        (0..9)
            .flat_map(|j| (0..13).map(move |i| Vec3::new(i as f32 * 2.0, j as f32 * 2.0, z)))
            .collect()
    };
    let triangles: Vec<[u32; 3]> = (0..8)
        .flat_map(|j| (0..12).map(move |i| j * 13 + i))
        .flat_map(|v| [[v, v + 1, v + 13], [v + 1, v + 14, v + 13]])
        .collect();
    let surface = |z| Surface {
        vertices: at(z).into(),
        triangles: triangles.clone().into(),
        hemisphere: Some(Hemisphere::Left),
        assumptions: Vec::new(),
    };
    (surface(0.0), surface(3.0))
}

#[test]
fn voxels_and_vertices_are_brought_over() {
    let (white, pial) = strip();
    let sheet = Sheet {
        hemisphere: Hemisphere::Left,
        inner: &white,
        outer: &pial,
    };
    let grid = Grid {
        shape: [30, 22, 9],
        world_from_voxel: DAffine3::from_translation(DVec3::new(-2.0, -2.0, -2.5)),
    };
    // Voxels of a block: the vertices whose five samples from white to pial lie in it by half at least.
    let block = Mask::new(grid.clone(), |v| {
        let [i, j, k] = grid.ijk(v);
        (6..17).contains(&i) && (5..12).contains(&j) && (3..5).contains(&k)
    });
    let found = vertices_of(&block, &sheet).unwrap();
    let expected: Vec<u32> = (0..white.vertices.len())
        .filter(|&v| {
            let inside = (0..5).filter(|d| {
                let at = white.vertices[v].lerp(pial.vertices[v], *d as f32 / 4.0);
                block
                    .column_of(grid.voxel_at(at.as_dvec3()).unwrap())
                    .is_some()
            });
            inside.count() * 2 >= 5
        })
        .map(|v| v as u32)
        .collect();
    assert!(expected.len() > 10);
    assert_eq!(*found.vertices, expected);

    // Back: half a block of vertices is the voxels between the sheets on its side of the border.
    let half: Vec<u32> = (0..white.vertices.len() as u32)
        .filter(|v| v % 13 < 6)
        .collect();
    let patch = patch(Hemisphere::Left, white.vertices.len(), &half);
    let filled = quietly(|run| voxels_of(&[patch], &[sheet], &grid, run)).unwrap();
    // The border runs at x = 11 mm, half way between the columns of vertices at 10 and 12.
    for v in 0..grid.n_voxels() {
        let at = grid.world(grid.ijk(v));
        let here = filled.voxels().contains(&(v as u32));
        let in_sheet = at.z > 0.4 && at.z < 2.6 && at.y > 0.6 && at.y < 15.4;
        if in_sheet && at.x > 0.6 && at.x < 10.4 {
            assert!(here, "{at} is of the region");
        }
        if at.x > 11.6 || at.z < -0.6 || at.z > 3.6 || at.x < -0.6 {
            assert!(!here, "{at} is not");
        }
    }
    let wrong = [Patch {
        n_vertices: 5,
        hemisphere: Hemisphere::Left,
        vertices: [1].into(),
    }];
    assert!(quietly(|run| voxels_of(&wrong, &[sheet], &grid, run)).is_err());
}

#[test]
fn the_list_counts_and_finds_the_heart() {
    let grid = oblique([8, 8, 8]);
    let keys: Vec<i32> = (0..grid.n_voxels())
        .map(|v| {
            let [i, j, k] = grid.ijk(v);
            match (i, j, k) {
                (0..3, _, _) => 7,
                (5.., 5.., 5..) => -2,
                (5.., 0..2, _) => 9,
                _ => 0,
            }
        })
        .collect();
    let region = |key, name: &str| Region {
        key,
        name: name.into(),
        colour: [key as u8, 0, 0],
    };
    let atlas = Atlas {
        grid: grid.clone(),
        keys: keys.clone().into(),
        regions: vec![
            region(7, "slab"),
            region(-2, "corner"),
            region(9, "slab"),
            region(3, "absent"),
        ],
    };
    let (white, _) = strip();
    let labels = VertexLabels {
        keys: (0..white.vertices.len())
            .map(|v| i32::from(v % 13 < 3) * 4)
            .collect(),
        regions: vec![region(4, "corner"), region(5, "none here")],
    };
    let sides = [(Hemisphere::Left, &labels, &white)];
    let listed = listing::list(Some(&atlas), &sides);
    let names: Vec<&str> = listed.iter().map(|l| l.name.as_str()).collect();
    assert_eq!(
        names,
        ["slab", "corner"],
        "absent ones are left out, one name is one region"
    );
    for Listed {
        name,
        n_voxels,
        volume_mm3,
        heart_mm,
        n_vertices,
        ..
    } in &listed
    {
        let of_name = |v: &usize| {
            atlas
                .regions
                .iter()
                .any(|r| r.key == keys[*v] && r.name == *name)
        };
        let members: Vec<DVec3> = (0..keys.len())
            .filter(of_name)
            .map(|v| grid.world(grid.ijk(v)))
            .collect();
        assert_eq!(*n_voxels, members.len());
        assert!(
            (volume_mm3 - members.len() as f64 * 15.0).abs() < 1e-6,
            "{volume_mm3}"
        );
        let middle = members.iter().sum::<DVec3>() / members.len() as f64;
        let heart = heart_mm.unwrap();
        assert!(
            members.iter().any(|m| m.distance(heart) < 1e-9),
            "the heart is a member"
        );
        let least = members
            .iter()
            .map(|m| m.distance(middle))
            .fold(f64::INFINITY, f64::min);
        assert!(heart.distance(middle) < least + 1e-9);
        assert_eq!(*n_vertices, if name == "corner" { 27 } else { 0 });
    }
    assert_eq!(listed[1].heart_vertices, [(Hemisphere::Left, 4 * 13 + 1)]);

    let found = listing::find("corner", Some(&atlas), &[(Hemisphere::Left, &labels)]).unwrap();
    assert_eq!(found.n_voxels(), 27);
    assert_eq!(found.n_vertices(), 27);
    assert_eq!(Listed::of(&found, &[(Hemisphere::Left, &white)]), listed[1]);
    assert_eq!(listing::find("nowhere", Some(&atlas), &[]), None);
    let slab = listing::find("slab", Some(&atlas), &[]).unwrap();
    assert_eq!(
        (slab.n_voxels(), slab.patches.len()),
        (3 * 64 + 3 * 2 * 8, 0)
    );
    assert!(slab.contains_mm(slab.heart_mm().unwrap()));
}
