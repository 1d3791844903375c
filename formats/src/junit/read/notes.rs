//! What there is to say about a document beside its tests.

/// More notes on one document are not kept.
const MOST: usize = 20;

/// Notes, each once.
#[derive(Debug, Default)]
pub(crate) struct Notes(Vec<String>);

impl Notes {
    pub(crate) fn add(&mut self, note: String) {
        if self.0.len() < MOST && !self.0.contains(&note) {
            self.0.push(note);
        }
    }

    pub(crate) fn take(&mut self) -> Vec<String> {
        std::mem::take(&mut self.0)
    }
}

/// Whether an element is not of the format, but well known: there is nothing to say about it.
pub(crate) fn is_known(name: &str) -> bool {
    // What PHPUnit writes of what it warns of; what others write for readers of their own.
    matches!(name, "warning" | "warnings" | "description" | "stackTrace" | "attachments")
}
