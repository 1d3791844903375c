use super::*;

fn suite(argv: &[&str]) -> Suite {
    Suite {
        argv: argv.iter().map(|word| (*word).to_owned()).collect(),
        list_option: Some("--list".to_owned()),
        id_option: Some("--load-list $IDFILE --only $IDLIST $IDOPTION".to_owned()),
        ..Suite::default()
    }
}

fn check(argv: &[&str], is_list: bool, ids: Option<&[&str]>, expected: &[&str]) {
    let ids = ids.map(|ids| ids.iter().map(|id| (*id).to_owned()).collect());
    let path = ids.is_some().then(|| PathBuf::from("/ids"));
    let found = Selection { is_list, ids }.expand(&suite(argv), path.as_deref());
    assert_eq!(found, expected);
}

#[test]
fn placeholders_are_replaced_and_leave_nothing_where_they_are_empty() {
    let argv = ["run", "a b", "$LISTOPT", "$IDOPTION"];
    check(&argv, false, None, &["run", "a b"]);
    check(&argv, true, None, &["run", "a b", "--list"]);
    check(
        &argv,
        false,
        Some(&["x", "$LISTOPT"]),
        &["run", "a b", "--load-list", "/ids", "--only", "x", "$LISTOPT"],
    );
    check(&["run", "--ids=$IDFILE", "$HOME"], false, Some(&["x"]), &["run", "--ids=/ids", "$HOME"]);
}

#[test]
fn a_prefix_tells_whose_an_id_is() {
    let own = Suite { prefix: "py/".to_owned(), ..suite(&[]) }.own(&["py/a".to_owned(), "rust/a".to_owned()]);
    assert_eq!(own, ["a"]);
    assert_eq!(suite(&[]).own(&["py/a".to_owned()]), ["py/a"]);
}
