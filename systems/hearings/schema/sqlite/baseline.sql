-- Step 1: the tables of the earlier system, parents before children. A database that it left behind has
-- them already; then every statement here does nothing.

-- What a committee is responsible for, in the Library of Congress's words.
CREATE TABLE IF NOT EXISTS policy_areas (
    policy_area_id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    description TEXT,
    created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP
);

-- Committees and subcommittees. `system_code` is the API's key, such as `hsii24`.
CREATE TABLE IF NOT EXISTS committees (
    committee_id INTEGER PRIMARY KEY,
    system_code TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    chamber TEXT NOT NULL,
    type TEXT NOT NULL,
    parent_committee_id INTEGER,
    is_current BOOLEAN NOT NULL DEFAULT 1,
    url TEXT,
    congress INTEGER NOT NULL,
    created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    updated_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    CHECK (chamber IN ('House', 'Senate', 'Joint', 'NoChamber')),
    CHECK (type IN ('Standing', 'Select', 'Special', 'Joint', 'Task Force', 'Other', 'Subcommittee',
                    'Commission or Caucus')),
    -- Deferred, because a subcommittee may be written before its parent.
    FOREIGN KEY (parent_committee_id) REFERENCES committees(committee_id) DEFERRABLE INITIALLY DEFERRED
);

-- Which policy areas a committee covers.
CREATE TABLE IF NOT EXISTS committee_jurisdictions (
    committee_id INTEGER NOT NULL,
    policy_area_id INTEGER NOT NULL,
    is_primary BOOLEAN NOT NULL DEFAULT 1,
    created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    PRIMARY KEY (committee_id, policy_area_id),
    FOREIGN KEY (committee_id) REFERENCES committees(committee_id),
    FOREIGN KEY (policy_area_id) REFERENCES policy_areas(policy_area_id)
);

-- Members of Congress. `bioguide_id` is the key of the Biographical Directory.
CREATE TABLE IF NOT EXISTS members (
    member_id INTEGER PRIMARY KEY,
    bioguide_id TEXT NOT NULL UNIQUE,
    first_name TEXT NOT NULL,
    middle_name TEXT,
    last_name TEXT NOT NULL,
    full_name TEXT NOT NULL,
    party TEXT NOT NULL,
    state TEXT NOT NULL,
    district INTEGER, -- null for senators
    birth_year INTEGER,
    current_member BOOLEAN NOT NULL DEFAULT 1,
    honorific_prefix TEXT,
    official_url TEXT,
    office_address TEXT,
    phone TEXT,
    terms_served INTEGER,
    congress INTEGER NOT NULL,
    created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    updated_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    CHECK (party IN ('D', 'R', 'I', 'ID', 'L', 'Unknown'))
);

-- Speaker, leaders, whips.
CREATE TABLE IF NOT EXISTS member_leadership_positions (
    position_id INTEGER PRIMARY KEY,
    member_id INTEGER NOT NULL,
    title TEXT NOT NULL,
    congress INTEGER NOT NULL,
    is_current BOOLEAN NOT NULL DEFAULT 1,
    created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    UNIQUE (member_id, title, congress),
    FOREIGN KEY (member_id) REFERENCES members(member_id)
);

-- Who sits on which committee.
CREATE TABLE IF NOT EXISTS committee_memberships (
    membership_id INTEGER PRIMARY KEY,
    committee_id INTEGER NOT NULL,
    member_id INTEGER NOT NULL,
    role TEXT NOT NULL,
    congress INTEGER NOT NULL,
    is_active BOOLEAN NOT NULL DEFAULT 1,
    start_date DATE,
    end_date DATE, -- null while it lasts
    created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    updated_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    CHECK (role IN ('Chair', 'Ranking Member', 'Vice Chair', 'Member')),
    UNIQUE (committee_id, member_id, congress),
    FOREIGN KEY (committee_id) REFERENCES committees(committee_id),
    FOREIGN KEY (member_id) REFERENCES members(member_id)
);

-- Committee meetings of every kind. `event_id` is the API's key.
CREATE TABLE IF NOT EXISTS hearings (
    hearing_id INTEGER PRIMARY KEY,
    event_id TEXT NOT NULL UNIQUE,
    congress INTEGER NOT NULL,
    chamber TEXT NOT NULL,
    title TEXT NOT NULL, -- empty for meetings announced without one
    hearing_type TEXT NOT NULL,
    status TEXT NOT NULL,
    hearing_date DATE,
    location TEXT,
    jacket_number TEXT, -- of the printed transcript
    url TEXT, -- in the API
    congress_gov_url TEXT, -- for readers
    update_date TIMESTAMP, -- at the source
    created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    updated_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    hearing_date_only DATE, -- the same day as hearing_date
    hearing_time TIME, -- HH:MM:SS, UTC
    CHECK (chamber IN ('House', 'Senate', 'NoChamber')),
    CHECK (hearing_type IN ('Hearing', 'Meeting', 'Markup')),
    CHECK (status IN ('Scheduled', 'Canceled', 'Postponed', 'Rescheduled'))
);

-- Who holds a hearing.
CREATE TABLE IF NOT EXISTS hearing_committees (
    hearing_id INTEGER NOT NULL,
    committee_id INTEGER NOT NULL,
    is_primary BOOLEAN NOT NULL DEFAULT 1,
    created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    PRIMARY KEY (hearing_id, committee_id),
    FOREIGN KEY (hearing_id) REFERENCES hearings(hearing_id),
    FOREIGN KEY (committee_id) REFERENCES committees(committee_id)
);

-- Bills and resolutions.
CREATE TABLE IF NOT EXISTS bills (
    bill_id INTEGER PRIMARY KEY,
    congress INTEGER NOT NULL,
    bill_type TEXT NOT NULL,
    bill_number INTEGER NOT NULL,
    title TEXT,
    url TEXT, -- in the API
    introduced_date DATE,
    created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    updated_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    CHECK (bill_type IN ('HR', 'S', 'HJRES', 'SJRES', 'HCONRES', 'SCONRES', 'HRES', 'SRES')),
    UNIQUE (congress, bill_type, bill_number)
);

-- What a hearing is about.
CREATE TABLE IF NOT EXISTS hearing_bills (
    hearing_bill_id INTEGER PRIMARY KEY,
    hearing_id INTEGER NOT NULL,
    bill_id INTEGER NOT NULL,
    relationship_type TEXT NOT NULL,
    notes TEXT,
    created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    CHECK (relationship_type IN ('primary_subject', 'mentioned', 'markup', 'related', 'theoretical')),
    UNIQUE (hearing_id, bill_id),
    FOREIGN KEY (hearing_id) REFERENCES hearings(hearing_id),
    FOREIGN KEY (bill_id) REFERENCES bills(bill_id)
);

-- People who testify. The source has no key for them: a witness is a name and an organization.
CREATE TABLE IF NOT EXISTS witnesses (
    witness_id INTEGER PRIMARY KEY,
    first_name TEXT,
    last_name TEXT,
    full_name TEXT NOT NULL,
    title TEXT,
    organization TEXT,
    created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    updated_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP
);

-- A witness at a hearing.
CREATE TABLE IF NOT EXISTS witness_appearances (
    appearance_id INTEGER PRIMARY KEY,
    witness_id INTEGER NOT NULL,
    hearing_id INTEGER NOT NULL,
    position TEXT, -- held at the time
    witness_type TEXT,
    appearance_order INTEGER,
    created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    UNIQUE (witness_id, hearing_id),
    FOREIGN KEY (witness_id) REFERENCES witnesses(witness_id),
    FOREIGN KEY (hearing_id) REFERENCES hearings(hearing_id)
);

-- What a witness handed in.
CREATE TABLE IF NOT EXISTS witness_documents (
    document_id INTEGER PRIMARY KEY,
    appearance_id INTEGER NOT NULL,
    document_type TEXT NOT NULL,
    title TEXT,
    document_url TEXT,
    format_type TEXT,
    created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    updated_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    CHECK (document_type IN ('Statement', 'Biography', 'Truth Statement', 'Questions for Record',
                             'Supplemental')),
    FOREIGN KEY (appearance_id) REFERENCES witness_appearances(appearance_id)
);

-- Printed transcripts.
CREATE TABLE IF NOT EXISTS hearing_transcripts (
    transcript_id INTEGER PRIMARY KEY,
    hearing_id INTEGER NOT NULL,
    jacket_number TEXT,
    title TEXT,
    document_url TEXT,
    pdf_url TEXT,
    html_url TEXT,
    format_type TEXT,
    created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    updated_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    FOREIGN KEY (hearing_id) REFERENCES hearings(hearing_id)
);

-- What the committee handed out.
CREATE TABLE IF NOT EXISTS supporting_documents (
    document_id INTEGER PRIMARY KEY,
    hearing_id INTEGER NOT NULL,
    document_type TEXT NOT NULL,
    title TEXT,
    description TEXT,
    document_url TEXT,
    format_type TEXT,
    created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    updated_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    FOREIGN KEY (hearing_id) REFERENCES hearings(hearing_id)
);
