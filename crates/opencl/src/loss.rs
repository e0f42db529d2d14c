//! When a device is lost.

use rustorch_backend::memory::fork::OnceLock;
use rustorch_error::{Result, RusTorchError};

use crate::driver::*;

/// What was said when a device was lost: from then on everything is refused, as nobody knows what was computed.
#[derive(Default)]
pub(crate) struct Loss(OnceLock<RusTorchError>);

impl Loss {
    /// An error if a call failed, or if the device was lost before; `out_of_memory` makes one of a code that says that.
    pub(crate) fn check_memory(
        &self,
        function: &'static str,
        code: cl_int,
        out_of_memory: impl FnOnce(&str) -> RusTorchError,
    ) -> Result<()> {
        match (self.0.get(), code) {
            (Some(lost), _) => Err(lost.clone()),
            (None, SUCCESS) => Ok(()),
            (None, code) if is_out_of_memory(code) => Err(out_of_memory(&describe(code))),
            (None, code) if is_lost(code) => {
                let lost = RusTorchError::DEVICE_LOST;
                let answer = format!("the OpenCL driver answered {}; {lost}", describe(code));
                Err(self.0.get_or_init(|| RusTorchError::device(function, answer)).clone())
            }
            (None, code) => Err(failure(function, code)),
        }
    }

    /// As [`Self::check_memory`], of a call that needs none.
    pub(crate) fn check(&self, function: &'static str, code: cl_int) -> Result<()> {
        self.check_memory(function, code, |_| failure(function, code))
    }
}
