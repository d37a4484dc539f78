//! How large the demo is, and which picture is shown to whom.

use std::ops::Range;

use glam::Vec3;

use super::anatomy::Lattice;

/// How large and how noisy the demo is.
#[derive(Clone, Debug)]
pub struct DemoPlan {
    /// Everything follows from it.
    pub seed: u64,
    /// Subjects, at least one.
    pub n_subjects: usize,
    /// Runs of each subject.
    pub n_runs: usize,
    /// How fine the brains are, and how many pictures a run shows.
    pub size: Size,
}

impl Default for DemoPlan {
    fn default() -> Self {
        Self {
            seed: 1,
            n_subjects: 4,
            n_runs: 10,
            size: Size::Standard,
        }
    }
}

impl DemoPlan {
    /// Two subjects with two short runs each on coarse grids: for tests.
    pub fn small() -> Self {
        Self {
            n_subjects: 2,
            n_runs: 2,
            size: Size::Small,
            ..Self::default()
        }
    }

    pub(super) fn layout(&self) -> Layout {
        let (shared_a_run, own_a_run) = match self.size {
            Size::Small => (2, 10),
            Size::Standard | Size::Full => (8, 49),
        };
        Layout {
            n_subjects: self.n_subjects.max(1),
            n_runs: self.n_runs,
            shared_a_run,
            own_a_run,
        }
    }
}

/// How fine the brains are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    /// 5 762 vertices a hemisphere, 6 mm BOLD voxels, 16 trials a run.
    Small,
    /// 23 042 vertices a hemisphere, 4 mm BOLD voxels, 73 trials a run.
    Standard,
    /// 51 842 vertices a hemisphere, 3 mm BOLD voxels, 73 trials a run.
    Full,
}

impl Size {
    /// Into how many pieces the last refinement of the cortex splits an edge.
    pub(super) fn finest_split(self) -> u32 {
        match self {
            Self::Small => 1,
            Self::Standard => 2,
            Self::Full => 3,
        }
    }

    /// The grid of the BOLD runs, the masks and the atlas.
    pub(super) fn bold(self) -> Lattice {
        let (shape, step) = match self {
            Self::Small => ([24, 30, 23], 6.0),
            Self::Standard => ([36, 44, 34], 4.0),
            Self::Full => ([47, 58, 45], 3.0),
        };
        Lattice {
            shape,
            first: Vec3::new(-70.0, -104.0, -56.0),
            step,
        }
    }

    /// The grid of the structural volume.
    pub(super) fn anatomy(self) -> Lattice {
        let (shape, step) = match self {
            Self::Small => ([61, 77, 65], 3.0),
            Self::Standard => ([121, 153, 129], 1.5),
            Self::Full => ([181, 229, 193], 1.0),
        };
        Lattice {
            shape,
            first: Vec3::new(-90.0, -120.0, -94.0),
            step,
        }
    }
}

/// Which pictures there are: first those that every subject sees three times in one run, then each
/// subject's own, run after run.
#[derive(Clone, Copy, Debug)]
pub(super) struct Layout {
    n_subjects: usize,
    n_runs: usize,
    shared_a_run: usize,
    own_a_run: usize,
}

impl Layout {
    fn n_shared(self) -> usize {
        self.n_runs * self.shared_a_run
    }

    fn n_own(self) -> usize {
        self.n_runs * self.own_a_run
    }

    /// Runs of each subject.
    pub(super) fn n_runs(self) -> usize {
        self.n_runs
    }

    /// Pictures in all.
    pub(super) fn n_pictures(self) -> usize {
        self.n_shared() + self.n_subjects * self.n_own()
    }

    /// Numbers of a run's pictures: of the shared set, and the subject's own.
    pub(super) fn run(self, subject: usize, run: usize) -> (Range<usize>, Range<usize>) {
        let shared = run * self.shared_a_run;
        let own = self.n_shared() + subject * self.n_own() + run * self.own_a_run;
        (
            shared..shared + self.shared_a_run,
            own..own + self.own_a_run,
        )
    }

    /// Numbers of all pictures that a subject sees, in the order of [`Self::row`].
    pub(super) fn pictures_of(self, subject: usize) -> Vec<usize> {
        let own = self.n_shared() + subject * self.n_own();
        (0..self.n_shared())
            .chain(own..own + self.n_own())
            .collect()
    }

    /// The place of a picture among those that a subject sees.
    pub(super) fn row(self, subject: usize, picture: usize) -> usize {
        if picture < self.n_shared() {
            picture
        } else {
            picture - subject * self.n_own()
        }
    }
}
