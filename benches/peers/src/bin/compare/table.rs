//! The table of figures and targets.

/// One line.
pub struct Line {
    pub name: String,
    pub figure: f64,
    pub unit: &'static str,
    pub target: Target,
    /// Whether the figure is the same on every machine, so that missing the target is never noise.
    pub exact: bool,
}

/// What a figure should be.
#[derive(Clone, Copy)]
pub enum Target {
    AtLeast(f64),
    AtMost(f64),
    /// Nobody has set one.
    None,
}

impl Line {
    fn is_met(&self, slack: f64) -> bool {
        match self.target {
            Target::AtLeast(target) => self.figure >= target / slack,
            Target::AtMost(target) => self.figure <= target * slack,
            Target::None => true,
        }
    }

    fn print(&self, allowed: f64) {
        let target = match self.target {
            Target::AtLeast(target) => format!(">= {}", number(target)),
            Target::AtMost(target) => format!("<= {}", number(target)),
            Target::None => String::new(),
        };
        let word = match (self.target, self.is_met(1.0), self.is_met(allowed)) {
            (Target::None, ..) => "",
            (_, true, _) => "ok",
            (_, false, true) => "missed, within the noise allowed here",
            (_, false, false) => "MISSED",
        };
        println!("{:<52} {:>9} {:<16} {:>9}  {word}", self.name, number(self.figure), self.unit, target);
    }
}

fn number(figure: f64) -> String {
    match figure {
        _ if figure.fract() == 0.0 => format!("{figure:.0}"),
        _ if figure.abs() < 10.0 => format!("{figure:.2}"),
        _ => format!("{figure:.1}"),
    }
}

/// Lines as they come, and whether all targets are met.
pub struct Table {
    /// By what factor a figure that depends on the machine may miss its target.
    slack: f64,
    missed: usize,
}

impl Table {
    pub fn new(slack: f64) -> Self {
        println!("{:<52} {:>9} {:<16} {:>9}", "", "figure", "", "target");
        Table { slack, missed: 0 }
    }

    pub fn add(&mut self, line: Line) {
        let allowed = if line.exact { 1.0 } else { self.slack };
        line.print(allowed);
        self.missed += usize::from(!line.is_met(allowed));
    }

    pub fn missed(&self) -> usize {
        self.missed
    }
}
