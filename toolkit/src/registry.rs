//! All commands, one per line.

use checks::Run;
use checks::all::CheckAll;
use checks::command::CheckCommand;
use checks::container::CheckContainer;
use checks::cvmfs::CheckCvmfs;
use checks::database::CheckDatabase;
use checks::eos::CheckEos;
use checks::http::CheckHttp;
use checks::jupyterhub::CheckJupyterhub;
use checks::proxy::CheckProxy;
use checks::tcp::CheckTcp;
use runs::OnRepository as On;

use crate::completions::Completions;
use crate::entry::{CommandTable, Entry, Section};
use crate::help::Help;
use crate::links::Links;
use crate::man::Man;

/// All commands of the program.
#[derive(Clone, Copy, Debug)]
pub struct Registry;

impl CommandTable for Registry {
    const SECTIONS: &'static [Section] = &[
        Section {
            title: "Check a running service",
            entries: &[
                Entry::of::<Run<CheckEos>>("check-eos"),
                Entry::of::<Run<CheckCvmfs>>("check-cvmfs"),
                Entry::of::<Run<CheckJupyterhub>>("check-jupyterhub"),
                Entry::of::<Run<CheckDatabase>>("check-database"),
                Entry::of::<Run<CheckContainer>>("check-container"),
                Entry::of::<Run<CheckProxy>>("check-proxy"),
                Entry::of::<Run<CheckHttp>>("check-http"),
                Entry::of::<Run<CheckTcp>>("check-tcp"),
                Entry::of::<Run<CheckCommand>>("check-command"),
                Entry::of::<CheckAll>("check-all"),
            ],
        },
        Section {
            title: "Make a stream of commands, and of what other tools say",
            entries: &[
                Entry::of::<emitters::exec::Exec>("subunit-exec"),
                Entry::of::<emitters::output::Output>("subunit-output"),
                Entry::of::<emitters::combine::Combine>("subunit-combine"),
                Entry::of::<emitters::tap::FromTap>("tap2subunit"),
                Entry::of::<emitters::gojson::FromGoJson>("gojson2subunit"),
                Entry::of::<emitters::junitxml::FromJunitXml>("junitxml2subunit"),
                Entry::of::<emitters::libtest::FromLibtest>("libtest2subunit"),
                Entry::of::<filters::from_json::FromJson>("json2subunit"),
            ],
        },
        Section {
            title: "Join and change streams",
            entries: &[
                Entry::of::<filters::mux::Mux>("subunit-mux"),
                Entry::of::<filters::filter::Filter>("subunit-filter"),
                Entry::of::<filters::tags::TagStream>("subunit-tags"),
                Entry::of::<filters::timestamp::TimestampStream>("subunit-timestamp"),
                Entry::of::<filters::from_v1::FromV1>("subunit-1to2"),
                Entry::of::<filters::to_v1::ToV1>("subunit-2to1"),
            ],
        },
        Section {
            title: "Report what is in a stream",
            entries: &[
                Entry::of::<filters::ls::Ls>("subunit-ls"),
                Entry::of::<filters::stats::Stats>("subunit-stats"),
                Entry::of::<filters::diff::Diff>("subunit-diff"),
                Entry::of::<filters::dump::Dump>("subunit-dump"),
                Entry::of::<filters::lint::Lint>("subunit-lint"),
                Entry::of::<filters::text::Text>("subunit2text"),
                Entry::of::<filters::junitxml::JunitXml>("subunit2junitxml"),
                Entry::of::<filters::html::Html>("subunit2html"),
                Entry::of::<filters::csv::Csv>("subunit2csv"),
                Entry::of::<filters::json::Json>("subunit2json"),
                Entry::of::<filters::markdown::Markdown>("subunit2markdown"),
                Entry::of::<filters::github::Github>("subunit2github"),
                Entry::of::<filters::openmetrics::OpenMetrics>("subunit2openmetrics"),
                Entry::of::<filters::otlp::Otlp>("subunit2otlp"),
                Entry::of::<filters::tap::Tap>("subunit2tap"),
                Entry::of::<filters::pyunit::Pyunit>("subunit2pyunit"),
                Entry::of::<filters::disk::Disk>("subunit2disk"),
            ],
        },
        Section {
            title: "Run tests",
            entries: &[
                Entry::of::<On<runs::run::Run>>("subunit run"),
                Entry::of::<runs::worker::Worker>("subunit worker"),
                Entry::of::<runs::presets::ListPresets>("subunit presets"),
                Entry::of::<runs::selftest::SelfTest>("subunit selftest"),
            ],
        },
        Section {
            title: "Keep runs in a repository, and ask about them",
            entries: &[
                Entry::of::<On<runs::init::Init>>("subunit init"),
                Entry::of::<On<runs::load::Load>>("subunit load"),
                Entry::of::<On<runs::last::Last>>("subunit last"),
                Entry::of::<On<runs::show::Show>>("subunit show"),
                Entry::of::<On<runs::failing::Failing>>("subunit failing"),
                Entry::of::<On<runs::slowest::Slowest>>("subunit slowest"),
                Entry::of::<On<runs::flaky::Flaky>>("subunit flaky"),
                Entry::of::<On<runs::history::History>>("subunit history"),
                Entry::of::<On<runs::compare::Compare>>("subunit compare"),
                Entry::of::<On<runs::log::Log>>("subunit log"),
                Entry::of::<On<runs::list::List>>("subunit list"),
                Entry::of::<On<site::Serve>>("subunit serve"),
                Entry::of::<On<runs::info::Info>>("subunit info"),
                Entry::of::<On<runs::merge::Merge>>("subunit merge"),
                Entry::of::<On<runs::prune::Prune>>("subunit prune"),
                Entry::of::<On<runs::pin::Pin>>("subunit pin"),
                Entry::of::<On<runs::pin::Unpin>>("subunit unpin"),
                Entry::of::<On<runs::rebuild::Rebuild>>("subunit rebuild"),
                Entry::of::<On<runs::import::Import>>("subunit import"),
                Entry::of::<On<runs::export::Export>>("subunit export"),
            ],
        },
        Section {
            title: "About this program",
            entries: &[
                Entry::of::<Help<Registry>>("subunit help"),
                Entry::of::<Links<Registry>>("subunit links"),
                Entry::of::<Completions<Registry>>("subunit completions"),
                Entry::of::<Man<Registry>>("subunit man"),
            ],
        },
    ];
}
