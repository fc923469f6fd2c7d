//! Many sets from one file: the backfill and the import, with their dry runs, bad lines and second runs.

use plimsoll_engine::change::drive::DriveReport;
use plimsoll_gauges::SYSTEM;
use serde_json::json;

use crate::support::{Lab, on_both};

fn drive(lab: &mut Lab, name: &str, text: &str, dry_run: bool) -> DriveReport {
    let drive = SYSTEM.drives.iter().find(|drive| drive.name == name).unwrap();
    lab.session.actor = "ada".into();
    (drive.run)(&mut lab.session, text, dry_run).unwrap()
}

const HEAD: &str = "go,nogo,category,name,location,thread_size,thread_form,thread_class,id,certified_on\r\n";

#[test]
fn lines_go_in_and_bad_ones_are_told() {
    on_both(|lab: &mut Lab| {
        let burned = lab.set("B1", "B2");
        lab.ok("unpair", json!({"set": burned}));
        let file = format!(
            "{HEAD}G1,N1,SP,\"plug, long\",A1,.500-20,UNF,2B,,2026-01-01\n\
             G2,N2,SP,plug,A1,.500-20,UNF,2B,SP0200,\n\
             G3,N3,SP,plug,A1,.500-20,UNF,2B,{burned},\n\
             G4,N4,SP,plug,NOWHERE,.500-20,METRIC,2B,,\n\
             G5,N5,SP,plug,A1\n\
             G6,G1,SP,plug,A1,.500-20,UNF,2B,sp0200,yesterday\n\
             G7,G1,SP,plug,A1,.500-20,UNF,2B,,\n"
        );
        for dry_run in [true, false] {
            let report = drive(lab, "import-sets", &file, dry_run);
            assert_eq!((report.records, report.done, report.there_already), (7, 2, 0), "{report:?}");
            let told =
                |at: usize| (report.left_out[at].record.as_str(), report.left_out[at].reasons.join("; "));
            assert_eq!(report.left_out.len(), 5);
            assert!(told(0).0 == "line 4" && told(0).1.contains("was used before"), "{:?}", told(0));
            assert!(
                told(1).1.contains("no place NOWHERE") && told(1).1.contains("thread form METRIC"),
                "{:?}",
                told(1)
            );
            assert!(told(2).1.contains("5 cells"), "{:?}", told(2));
            assert!(told(3).1.contains("certified_on"), "{:?}", told(3));
            assert_eq!(told(4), ("line 8", "gauge G1 is in line 2 already".to_owned()));
        }
        assert_eq!(lab.number("SELECT count(*) FROM gauge_set_ids WHERE origin = 'imported'"), 2);
        assert_eq!(lab.set_of("G2").as_deref(), Some("SP0200"));
        assert_eq!(lab.set_of("G1").as_deref(), Some("SP0002"), "the next number");
        let again = drive(lab, "import-sets", &file, false);
        assert_eq!((again.done, again.there_already, again.left_out.len()), (0, 2, 5));
        lab.sound();
    });
}

#[test]
fn the_backfill_reads_a_file_of_an_earlier_system() {
    on_both(|lab: &mut Lab| {
        let head = "id,serial,set_id,is_go,category,name,thread_size,thread_form,thread_class,hand,location,deleted\n";
        let file = format!(
            "{head}1,E1,SP0001,false,SP,plug,.500-20,UNF,2B,RH,A1,0\n2,E2,SP0001,true,SP,plug,.500-20,UNF,2B,RH,A1,0\n\
             3,E3,SP0002,true,SP,plug,.500-20,UNF,2B,RH,A1,no\n4,E4,,true,SP,plug,.500-20,UNF,2B,RH,A1,no\n"
        );
        // Whatever the flag says, the backfill asks the ledger.
        lab.reuse_check(false);
        let looked = drive(lab, "backfill", &file, true);
        assert_eq!((looked.records, looked.done, looked.checks.len()), (2, 1, 0));
        assert_eq!(lab.number("SELECT count(*) FROM gauge_sets"), 0, "a dry run writes nothing");
        let report = drive(lab, "backfill", &file, false);
        assert_eq!((report.done, report.left_out[0].record.as_str()), (1, "set SP0002"));
        assert_eq!(report.assessment["reversed"], json!(["SP0001"]));
        assert!(report.checks.len() == 4 && report.checks.iter().all(|check| check.ok), "{report:?}");
        assert_eq!(lab.number("SELECT count(*) FROM gauge_set_ids WHERE reuse_checked"), 1);
        assert_eq!(lab.text("SELECT serial FROM gauge_set_members WHERE side = 'go'").as_deref(), Some("E2"));
        let again = drive(lab, "backfill", &file, false);
        assert_eq!((again.done, again.there_already), (0, 1));
        lab.sound();
    });
    let lab = &mut Lab::sqlite();
    let drive = SYSTEM.drives.iter().find(|drive| drive.name == "backfill").unwrap();
    let wrong = (drive.run)(&mut lab.session, "id,serial,colour\n1,E1,red\n", true).unwrap_err();
    assert!(wrong.message.contains("line 2: there is no column `colour`"), "{}", wrong.message);
}
