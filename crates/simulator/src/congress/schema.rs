//! The tables of the earlier hearings schema, as SQLite statements.
//!
//! Owns the names and clauses of the tables that the daily update reads or writes. They are facts of that
//! schema, kept as they are: instants are stored as text in UTC, keys are counted, and nothing cascades on
//! delete. The system that keeps such a database has its own schema; this one makes a starting point for
//! demos and tests.

/// The tables of the earlier schema that the daily update reads or writes: name and columns. The clauses
/// and names are facts of that schema; it has no `ON DELETE CASCADE`.
const TABLES: [(&str, &str); 11] = [
    (
        "committees",
        "committee_id INTEGER PRIMARY KEY AUTOINCREMENT, system_code TEXT NOT NULL UNIQUE, name TEXT NOT NULL, \
         chamber TEXT NOT NULL CHECK (chamber IN ('House', 'Senate', 'Joint', 'NoChamber')), \
         type TEXT NOT NULL CHECK (type IN ('Standing', 'Select', 'Special', 'Joint', 'Task Force', 'Other', \
         'Subcommittee', 'Commission or Caucus')), \
         parent_committee_id INTEGER REFERENCES committees(committee_id), is_current BOOLEAN NOT NULL DEFAULT 1, \
         url TEXT, congress INTEGER NOT NULL, created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP, \
         updated_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP",
    ),
    (
        "hearings",
        "hearing_id INTEGER PRIMARY KEY AUTOINCREMENT, event_id TEXT NOT NULL UNIQUE, congress INTEGER NOT NULL, \
         chamber TEXT NOT NULL CHECK (chamber IN ('House', 'Senate', 'NoChamber')), title TEXT NOT NULL, \
         hearing_type TEXT NOT NULL CHECK (hearing_type IN ('Hearing', 'Meeting', 'Markup')), \
         status TEXT NOT NULL CHECK (status IN ('Scheduled', 'Canceled', 'Postponed', 'Rescheduled')), \
         hearing_date DATE, location TEXT, jacket_number TEXT, url TEXT, congress_gov_url TEXT, \
         update_date TIMESTAMP, created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP, \
         updated_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP, hearing_date_only DATE, hearing_time TIME, \
         video_url TEXT, youtube_video_id TEXT, video_type TEXT",
    ),
    (
        "hearing_committees",
        "hearing_id INTEGER NOT NULL REFERENCES hearings(hearing_id), \
         committee_id INTEGER NOT NULL REFERENCES committees(committee_id), is_primary BOOLEAN NOT NULL DEFAULT 1, \
         created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP, PRIMARY KEY (hearing_id, committee_id)",
    ),
    (
        "members",
        "member_id INTEGER PRIMARY KEY AUTOINCREMENT, bioguide_id TEXT NOT NULL UNIQUE, first_name TEXT NOT NULL, \
         middle_name TEXT, last_name TEXT NOT NULL, full_name TEXT NOT NULL, \
         party TEXT NOT NULL CHECK (party IN ('D', 'R', 'I', 'ID', 'L', 'Unknown')), state TEXT NOT NULL, \
         district INTEGER, birth_year INTEGER, current_member BOOLEAN NOT NULL DEFAULT 1, honorific_prefix TEXT, \
         official_url TEXT, office_address TEXT, phone TEXT, terms_served INTEGER, congress INTEGER NOT NULL, \
         created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP, updated_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP",
    ),
    (
        "bills",
        "bill_id INTEGER PRIMARY KEY AUTOINCREMENT, congress INTEGER NOT NULL, \
         bill_type TEXT NOT NULL CHECK (bill_type IN ('HR', 'S', 'HJRES', 'SJRES', 'HCONRES', 'SCONRES', 'HRES', \
         'SRES')), bill_number INTEGER NOT NULL, title TEXT, url TEXT, introduced_date DATE, \
         created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP, updated_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP, \
         UNIQUE (congress, bill_type, bill_number)",
    ),
    (
        "hearing_bills",
        "hearing_bill_id INTEGER PRIMARY KEY AUTOINCREMENT, \
         hearing_id INTEGER NOT NULL REFERENCES hearings(hearing_id), \
         bill_id INTEGER NOT NULL REFERENCES bills(bill_id), \
         relationship_type TEXT NOT NULL CHECK (relationship_type IN ('primary_subject', 'mentioned', 'markup', \
         'related', 'theoretical')), notes TEXT, created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP, \
         UNIQUE (hearing_id, bill_id)",
    ),
    (
        "witnesses",
        "witness_id INTEGER PRIMARY KEY AUTOINCREMENT, first_name TEXT, last_name TEXT, full_name TEXT NOT NULL, \
         title TEXT, organization TEXT, created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP, \
         updated_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP",
    ),
    (
        "witness_appearances",
        "appearance_id INTEGER PRIMARY KEY AUTOINCREMENT, \
         witness_id INTEGER NOT NULL REFERENCES witnesses(witness_id), \
         hearing_id INTEGER NOT NULL REFERENCES hearings(hearing_id), position TEXT, witness_type TEXT, \
         appearance_order INTEGER, created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP, UNIQUE (witness_id, hearing_id)",
    ),
    (
        "witness_documents",
        "document_id INTEGER PRIMARY KEY AUTOINCREMENT, \
         appearance_id INTEGER NOT NULL REFERENCES witness_appearances(appearance_id), \
         document_type TEXT NOT NULL CHECK (document_type IN ('Statement', 'Biography', 'Truth Statement', \
         'Questions for Record', 'Supplemental')), title TEXT, document_url TEXT, format_type TEXT, \
         created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP, updated_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP",
    ),
    (
        "supporting_documents",
        "document_id INTEGER PRIMARY KEY AUTOINCREMENT, \
         hearing_id INTEGER NOT NULL REFERENCES hearings(hearing_id), document_type TEXT NOT NULL, title TEXT, \
         description TEXT, document_url TEXT, format_type TEXT, created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP, \
         updated_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP",
    ),
    (
        "hearing_transcripts",
        "transcript_id INTEGER PRIMARY KEY AUTOINCREMENT, \
         hearing_id INTEGER NOT NULL REFERENCES hearings(hearing_id), jacket_number TEXT, title TEXT, \
         document_url TEXT, pdf_url TEXT, html_url TEXT, format_type TEXT, \
         created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP, updated_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP",
    ),
];

/// `CREATE TABLE` statements of the earlier schema, in the order of their references.
pub fn baseline_schema() -> Vec<String> {
    TABLES.iter().map(|(table, columns)| format!("CREATE TABLE {table} ({columns})")).collect()
}
