//! The state machine of one gauge: which step leads from which status to which.
//!
//! Owns the published matrix. Whatever is not in it is forbidden; there is no other way to a status. What else a step
//! asks for (roles, dates, partners) is the operation's.

use crate::model::Status;
use crate::rules::Refused;

/// A step of a gauge's life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    /// Becomes a member of a set, new or incomplete.
    Join,
    /// Leaves its set and is a spare again (replaced, unpaired, partner returned).
    Leave,
    /// Goes out with somebody.
    CheckOut,
    /// Goes from one holder to another.
    HandOver,
    /// Comes back.
    Return,
    /// Passes inspection.
    QcPass,
    /// Fails inspection.
    QcFail,
    /// Is put somewhere else.
    Move,
    /// Is taken out of service.
    OutOfService,
    /// Is put back into service.
    BackInService,
    /// Somebody asks to open its seal.
    AskUnseal,
    /// Its seal is opened.
    Unseal,
    /// Its seal stays.
    KeepSeal,
    /// Is put on a calibration batch.
    AddToBatch,
    /// Is sent to calibration.
    Send,
    /// Comes back good.
    ReceivePass,
    /// Comes back bad.
    ReceiveFail,
    /// Gets its certificate.
    Certify,
    /// Its certificate is verified.
    Verify,
    /// Its place is confirmed.
    Release,
    /// Its due date has passed.
    FallDue,
    /// Cannot be found.
    Lose,
    /// Is found.
    Find,
    /// Is worn out.
    Retire,
    /// Goes back to its owner.
    ReturnToCustomer,
    /// Was registered by mistake.
    Delete,
}

use Status as S;
use Step as T;

/// One row of the matrix: a step, and for each status it may begin in the one it leads to.
pub type MatrixRow = (Step, &'static [(Status, Status)]);

/// The matrix.
pub const MATRIX: &[MatrixRow] = &[
    (T::Join, &[(S::Available, S::Available), (S::CalibrationDue, S::CalibrationDue)]),
    (
        T::Leave,
        &[
            (S::Available, S::Available),
            (S::CalibrationDue, S::CalibrationDue),
            (S::PendingQc, S::PendingQc),
            (S::OutOfService, S::OutOfService),
            (S::PendingUnseal, S::PendingUnseal),
        ],
    ),
    (T::CheckOut, &[(S::Available, S::CheckedOut)]),
    (T::HandOver, &[(S::CheckedOut, S::CheckedOut)]),
    (T::Return, &[(S::CheckedOut, S::PendingQc)]),
    (T::QcPass, &[(S::PendingQc, S::Available)]),
    (T::QcFail, &[(S::PendingQc, S::OutOfService)]),
    (
        T::Move,
        &[
            (S::Available, S::Available),
            (S::CalibrationDue, S::CalibrationDue),
            (S::PendingQc, S::PendingQc),
            (S::OutOfService, S::OutOfService),
            (S::PendingUnseal, S::PendingUnseal),
            (S::PendingCertificate, S::PendingCertificate),
            (S::PendingRelease, S::PendingRelease),
        ],
    ),
    (
        T::OutOfService,
        &[
            (S::Available, S::OutOfService),
            (S::CalibrationDue, S::OutOfService),
            (S::PendingQc, S::OutOfService),
        ],
    ),
    (T::BackInService, &[(S::OutOfService, S::Available)]),
    (T::AskUnseal, &[(S::Available, S::PendingUnseal)]),
    (T::Unseal, &[(S::PendingUnseal, S::Available)]),
    (T::KeepSeal, &[(S::PendingUnseal, S::Available)]),
    (
        T::AddToBatch,
        &[
            (S::Available, S::Available),
            (S::CalibrationDue, S::CalibrationDue),
            (S::OutOfService, S::OutOfService),
        ],
    ),
    (
        T::Send,
        &[
            (S::Available, S::OutForCalibration),
            (S::CalibrationDue, S::OutForCalibration),
            (S::OutOfService, S::OutForCalibration),
        ],
    ),
    (T::ReceivePass, &[(S::OutForCalibration, S::PendingCertificate)]),
    (T::ReceiveFail, &[(S::OutForCalibration, S::Retired)]),
    (T::Certify, &[(S::PendingCertificate, S::PendingCertificate)]),
    (T::Verify, &[(S::PendingCertificate, S::PendingRelease)]),
    (T::Release, &[(S::PendingRelease, S::Available)]),
    (T::FallDue, &[(S::Available, S::CalibrationDue)]),
    (
        T::Lose,
        &[
            (S::Available, S::Lost),
            (S::CheckedOut, S::Lost),
            (S::CalibrationDue, S::Lost),
            (S::PendingQc, S::Lost),
            (S::OutOfService, S::Lost),
            (S::PendingUnseal, S::Lost),
            (S::OutForCalibration, S::Lost),
            (S::PendingCertificate, S::Lost),
            (S::PendingRelease, S::Lost),
        ],
    ),
    (T::Find, &[(S::Lost, S::PendingQc)]),
    (
        T::Retire,
        &[
            (S::Available, S::Retired),
            (S::CalibrationDue, S::Retired),
            (S::PendingQc, S::Retired),
            (S::OutOfService, S::Retired),
            (S::PendingUnseal, S::Retired),
        ],
    ),
    (
        T::ReturnToCustomer,
        &[
            (S::Available, S::Returned),
            (S::CalibrationDue, S::Returned),
            (S::PendingQc, S::Returned),
            (S::OutOfService, S::Returned),
            (S::PendingUnseal, S::Returned),
        ],
    ),
    (
        T::Delete,
        &[
            (S::Available, S::Deleted),
            (S::CalibrationDue, S::Deleted),
            (S::PendingQc, S::Deleted),
            (S::OutOfService, S::Deleted),
        ],
    ),
];

impl Step {
    /// Where the step leads from `status`; `None` when it is forbidden there.
    pub fn from(self, status: Status) -> Option<Status> {
        let (_, cells) = MATRIX.iter().find(|(step, _)| *step == self)?;
        cells.iter().find(|(from, _)| *from == status).map(|(_, to)| *to)
    }

    /// As [`Self::from`], or the refusal that names the gauge.
    ///
    /// # Errors
    /// Rule `status`.
    pub fn of(self, serial: &str, status: Status) -> Result<Status, Refused> {
        self.from(status).ok_or_else(|| {
            Refused::new(
                "status",
                format!("gauge {serial} is {status}, and {} is not possible then", self.words()),
            )
        })
    }

    /// What it is, in words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Join => "pairing",
            Self::Leave => "leaving its set",
            Self::CheckOut => "check-out",
            Self::HandOver => "handing over",
            Self::Return => "return",
            Self::QcPass | Self::QcFail => "a QC verdict",
            Self::Move => "moving",
            Self::OutOfService => "taking out of service",
            Self::BackInService => "putting back into service",
            Self::AskUnseal => "asking to unseal",
            Self::Unseal | Self::KeepSeal => "a decision on its seal",
            Self::AddToBatch => "adding to a batch",
            Self::Send => "sending to calibration",
            Self::ReceivePass | Self::ReceiveFail => "receiving from calibration",
            Self::Certify => "a certificate",
            Self::Verify => "verifying a certificate",
            Self::Release => "release",
            Self::FallDue => "falling due",
            Self::Lose => "losing",
            Self::Find => "finding",
            Self::Retire => "retiring",
            Self::ReturnToCustomer => "return to the customer",
            Self::Delete => "deletion as a clerical error",
        }
    }
}

/// The matrix as a table of Markdown: a row for each step, a column for each status, the status that it leads to.
pub fn to_markdown() -> String {
    let heads: Vec<&str> = Status::ALL.iter().map(|status| status.as_str()).collect();
    let mut out = format!("| step | {} |\n|---|{}\n", heads.join(" | "), "---|".repeat(heads.len()));
    for (step, _) in MATRIX {
        let cells: Vec<&str> =
            Status::ALL.iter().map(|status| step.from(*status).map_or("·", Status::as_str)).collect();
        out.push_str(&format!("| {step:?} | {} |\n", cells.join(" | ")));
    }
    out
}
