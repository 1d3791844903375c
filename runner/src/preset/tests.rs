use super::Preset;
use super::found::BUILTIN;

#[test]
fn all_presets_can_be_read() {
    for (name, text) in BUILTIN {
        let preset = Preset::read(name, text).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(preset.example.is_some(), "{name} has no example");
    }
}

/// Whether a folder with this file is a project of the kind of this preset.
fn check_sign(name: &str, file: &str, text: &str, expected: bool) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(file);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, text).unwrap();
    let (_, preset) = BUILTIN.iter().find(|(other, _)| *other == name).unwrap();
    let preset = Preset::read(name, preset).unwrap();
    assert_eq!(preset.sign(folder.path()).is_some(), expected, "{name}: {file}: {text}");
}

#[test]
fn functions_that_only_pytest_runs_are_not_left_to_unittest() {
    check_sign("pytest", "test_a.py", "def test_a():\n    pass\n", true);
    check_sign("pytest", "tests/test_a.py", "import unittest, pytest\n", true);
    check_sign("pytest", "test_a.py", "class A(TestCase):\n    def test_a(self): pass\n", false);
    check_sign("unittest", "test_a.py", "class A(TestCase):\n    def test_a(self): pass\n", true);
}
