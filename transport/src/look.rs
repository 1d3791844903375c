//! What a place is.

/// What a place is, and whether this program is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Look {
    /// The system: `Linux`, as `uname -s` says.
    pub system: String,
    /// The machine: `x86_64`, as `uname -m` says, or as the engine calls it.
    pub machine: String,
    /// Where the program is, or is to be put.
    pub path: String,
    /// With which permissions it is to be put there: a folder of this user's is nobody else's, and what root puts
    /// into a container is for everyone in it.
    pub mode: u32,
    /// Whether it is there, with the digest that it should have.
    pub has_program: bool,
}
