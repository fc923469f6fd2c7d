-- Step 1: the tables of the earlier system, parents before children. A database that it left behind has
-- them already; then every statement here does nothing.
-- Keys are chosen by the plan, so none of them counts by itself.

-- What a committee is responsible for, in the Library of Congress's words.
CREATE TABLE IF NOT EXISTS policy_areas (
    policy_area_id bigint PRIMARY KEY,
    name text NOT NULL UNIQUE,
    description text,
    created_at timestamptz DEFAULT CURRENT_TIMESTAMP
);

-- Committees and subcommittees. `system_code` is the API's key, such as `hsii24`.
CREATE TABLE IF NOT EXISTS committees (
    committee_id bigint PRIMARY KEY,
    system_code text NOT NULL UNIQUE,
    name text NOT NULL,
    chamber text NOT NULL,
    type text NOT NULL,
    parent_committee_id bigint,
    is_current boolean NOT NULL DEFAULT true,
    url text,
    congress bigint NOT NULL,
    created_at timestamptz DEFAULT CURRENT_TIMESTAMP,
    updated_at timestamptz DEFAULT CURRENT_TIMESTAMP,
    CHECK (chamber IN ('House', 'Senate', 'Joint', 'NoChamber')),
    CHECK (type IN ('Standing', 'Select', 'Special', 'Joint', 'Task Force', 'Other', 'Subcommittee',
                    'Commission or Caucus')),
    -- Deferred, because a subcommittee may be written before its parent.
    FOREIGN KEY (parent_committee_id) REFERENCES committees(committee_id) DEFERRABLE INITIALLY DEFERRED
);

-- Which policy areas a committee covers.
CREATE TABLE IF NOT EXISTS committee_jurisdictions (
    committee_id bigint NOT NULL,
    policy_area_id bigint NOT NULL,
    is_primary boolean NOT NULL DEFAULT true,
    created_at timestamptz DEFAULT CURRENT_TIMESTAMP,
    PRIMARY KEY (committee_id, policy_area_id),
    FOREIGN KEY (committee_id) REFERENCES committees(committee_id),
    FOREIGN KEY (policy_area_id) REFERENCES policy_areas(policy_area_id)
);

-- Members of Congress. `bioguide_id` is the key of the Biographical Directory.
CREATE TABLE IF NOT EXISTS members (
    member_id bigint PRIMARY KEY,
    bioguide_id text NOT NULL UNIQUE,
    first_name text NOT NULL,
    middle_name text,
    last_name text NOT NULL,
    full_name text NOT NULL,
    party text NOT NULL,
    state text NOT NULL,
    district bigint, -- null for senators
    birth_year bigint,
    current_member boolean NOT NULL DEFAULT true,
    honorific_prefix text,
    official_url text,
    office_address text,
    phone text,
    terms_served bigint,
    congress bigint NOT NULL,
    created_at timestamptz DEFAULT CURRENT_TIMESTAMP,
    updated_at timestamptz DEFAULT CURRENT_TIMESTAMP,
    CHECK (party IN ('D', 'R', 'I', 'ID', 'L', 'Unknown'))
);

-- Speaker, leaders, whips.
CREATE TABLE IF NOT EXISTS member_leadership_positions (
    position_id bigint PRIMARY KEY,
    member_id bigint NOT NULL,
    title text NOT NULL,
    congress bigint NOT NULL,
    is_current boolean NOT NULL DEFAULT true,
    created_at timestamptz DEFAULT CURRENT_TIMESTAMP,
    UNIQUE (member_id, title, congress),
    FOREIGN KEY (member_id) REFERENCES members(member_id)
);

-- Who sits on which committee.
CREATE TABLE IF NOT EXISTS committee_memberships (
    membership_id bigint PRIMARY KEY,
    committee_id bigint NOT NULL,
    member_id bigint NOT NULL,
    role text NOT NULL,
    congress bigint NOT NULL,
    is_active boolean NOT NULL DEFAULT true,
    start_date date,
    end_date date, -- null while it lasts
    created_at timestamptz DEFAULT CURRENT_TIMESTAMP,
    updated_at timestamptz DEFAULT CURRENT_TIMESTAMP,
    CHECK (role IN ('Chair', 'Ranking Member', 'Vice Chair', 'Member')),
    UNIQUE (committee_id, member_id, congress),
    FOREIGN KEY (committee_id) REFERENCES committees(committee_id),
    FOREIGN KEY (member_id) REFERENCES members(member_id)
);

-- Committee meetings of every kind. `event_id` is the API's key.
CREATE TABLE IF NOT EXISTS hearings (
    hearing_id bigint PRIMARY KEY,
    event_id text NOT NULL UNIQUE,
    congress bigint NOT NULL,
    chamber text NOT NULL,
    title text NOT NULL, -- empty for meetings announced without one
    hearing_type text NOT NULL,
    status text NOT NULL,
    hearing_date date,
    location text,
    jacket_number text, -- of the printed transcript
    url text, -- in the API
    congress_gov_url text, -- for readers
    update_date timestamptz, -- at the source
    created_at timestamptz DEFAULT CURRENT_TIMESTAMP,
    updated_at timestamptz DEFAULT CURRENT_TIMESTAMP,
    hearing_date_only date, -- the same day as hearing_date
    hearing_time text, -- HH:MM:SS, UTC
    CHECK (chamber IN ('House', 'Senate', 'NoChamber')),
    CHECK (hearing_type IN ('Hearing', 'Meeting', 'Markup')),
    CHECK (status IN ('Scheduled', 'Canceled', 'Postponed', 'Rescheduled'))
);

-- Who holds a hearing.
CREATE TABLE IF NOT EXISTS hearing_committees (
    hearing_id bigint NOT NULL,
    committee_id bigint NOT NULL,
    is_primary boolean NOT NULL DEFAULT true,
    created_at timestamptz DEFAULT CURRENT_TIMESTAMP,
    PRIMARY KEY (hearing_id, committee_id),
    FOREIGN KEY (hearing_id) REFERENCES hearings(hearing_id),
    FOREIGN KEY (committee_id) REFERENCES committees(committee_id)
);

-- Bills and resolutions.
CREATE TABLE IF NOT EXISTS bills (
    bill_id bigint PRIMARY KEY,
    congress bigint NOT NULL,
    bill_type text NOT NULL,
    bill_number bigint NOT NULL,
    title text,
    url text, -- in the API
    introduced_date date,
    created_at timestamptz DEFAULT CURRENT_TIMESTAMP,
    updated_at timestamptz DEFAULT CURRENT_TIMESTAMP,
    CHECK (bill_type IN ('HR', 'S', 'HJRES', 'SJRES', 'HCONRES', 'SCONRES', 'HRES', 'SRES')),
    UNIQUE (congress, bill_type, bill_number)
);

-- What a hearing is about.
CREATE TABLE IF NOT EXISTS hearing_bills (
    hearing_bill_id bigint PRIMARY KEY,
    hearing_id bigint NOT NULL,
    bill_id bigint NOT NULL,
    relationship_type text NOT NULL,
    notes text,
    created_at timestamptz DEFAULT CURRENT_TIMESTAMP,
    CHECK (relationship_type IN ('primary_subject', 'mentioned', 'markup', 'related', 'theoretical')),
    UNIQUE (hearing_id, bill_id),
    FOREIGN KEY (hearing_id) REFERENCES hearings(hearing_id),
    FOREIGN KEY (bill_id) REFERENCES bills(bill_id)
);

-- People who testify. The source has no key for them: a witness is a name and an organization.
CREATE TABLE IF NOT EXISTS witnesses (
    witness_id bigint PRIMARY KEY,
    first_name text,
    last_name text,
    full_name text NOT NULL,
    title text,
    organization text,
    created_at timestamptz DEFAULT CURRENT_TIMESTAMP,
    updated_at timestamptz DEFAULT CURRENT_TIMESTAMP
);

-- A witness at a hearing.
CREATE TABLE IF NOT EXISTS witness_appearances (
    appearance_id bigint PRIMARY KEY,
    witness_id bigint NOT NULL,
    hearing_id bigint NOT NULL,
    position text, -- held at the time
    witness_type text,
    appearance_order bigint,
    created_at timestamptz DEFAULT CURRENT_TIMESTAMP,
    UNIQUE (witness_id, hearing_id),
    FOREIGN KEY (witness_id) REFERENCES witnesses(witness_id),
    FOREIGN KEY (hearing_id) REFERENCES hearings(hearing_id)
);

-- What a witness handed in.
CREATE TABLE IF NOT EXISTS witness_documents (
    document_id bigint PRIMARY KEY,
    appearance_id bigint NOT NULL,
    document_type text NOT NULL,
    title text,
    document_url text,
    format_type text,
    created_at timestamptz DEFAULT CURRENT_TIMESTAMP,
    updated_at timestamptz DEFAULT CURRENT_TIMESTAMP,
    CHECK (document_type IN ('Statement', 'Biography', 'Truth Statement', 'Questions for Record',
                             'Supplemental')),
    FOREIGN KEY (appearance_id) REFERENCES witness_appearances(appearance_id)
);

-- Printed transcripts.
CREATE TABLE IF NOT EXISTS hearing_transcripts (
    transcript_id bigint PRIMARY KEY,
    hearing_id bigint NOT NULL,
    jacket_number text,
    title text,
    document_url text,
    pdf_url text,
    html_url text,
    format_type text,
    created_at timestamptz DEFAULT CURRENT_TIMESTAMP,
    updated_at timestamptz DEFAULT CURRENT_TIMESTAMP,
    FOREIGN KEY (hearing_id) REFERENCES hearings(hearing_id)
);

-- What the committee handed out.
CREATE TABLE IF NOT EXISTS supporting_documents (
    document_id bigint PRIMARY KEY,
    hearing_id bigint NOT NULL,
    document_type text NOT NULL,
    title text,
    description text,
    document_url text,
    format_type text,
    created_at timestamptz DEFAULT CURRENT_TIMESTAMP,
    updated_at timestamptz DEFAULT CURRENT_TIMESTAMP,
    FOREIGN KEY (hearing_id) REFERENCES hearings(hearing_id)
);
