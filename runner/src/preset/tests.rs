use super::Preset;
use super::found::BUILTIN;

#[test]
fn all_presets_can_be_read() {
    for (name, text) in BUILTIN {
        let preset = Preset::read(name, text).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(preset.example.is_some(), "{name} has no example");
    }
}
