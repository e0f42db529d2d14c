//! A file's bytes as memory, read from disk where they are first looked at.

use std::fs::File;
use std::io;
use std::ptr::NonNull;
use std::sync::Arc;

use super::Buffer;

/// A file that is mapped copy-on-write: who writes to it writes to memory of its own, and never to the file.
///
/// The file must not be made shorter meanwhile; the system ends a process that looks at what is no longer there.
#[derive(Debug)]
pub struct Mapping {
    address: NonNull<u8>,
    bytes: usize,
}

// SAFETY: the mapping belongs to this value and is as valid on one thread as on another.
unsafe impl Send for Mapping {}
// SAFETY: through `&self` bytes are only copied out or lent to buffers, whose users coordinate their writes.
unsafe impl Sync for Mapping {}

impl Mapping {
    /// All of a file.
    ///
    /// # Errors
    /// The system's, and that a system has no such mappings.
    #[cfg(unix)]
    pub fn of(file: &File) -> io::Result<Self> {
        use std::os::fd::AsRawFd;
        let too_long = |_| io::Error::other("the file is longer than the address space");
        let bytes = usize::try_from(file.metadata()?.len()).map_err(too_long)?;
        if bytes == 0 {
            return Ok(Mapping { address: NonNull::dangling(), bytes });
        }
        // SAFETY: a new mapping at a place of the system's choosing; the descriptor is open while the call lasts.
        let start = unsafe {
            libc::mmap(
                std::ptr::null_mut(),
                bytes,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_PRIVATE,
                file.as_raw_fd(),
                0,
            )
        };
        if start == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let address = NonNull::new(start.cast()).ok_or_else(|| io::Error::other("mapped at address 0"))?;
        Ok(Mapping { address, bytes })
    }

    /// All of a file.
    ///
    /// # Errors
    /// This system has no such mappings.
    #[cfg(not(unix))]
    pub fn of(_file: &File) -> io::Result<Self> {
        Err(io::Error::new(io::ErrorKind::Unsupported, "files are mapped on Unix only"))
    }

    /// How many bytes there are.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Copies bytes from `offset` on out of it; `false` where it does not hold as many.
    pub fn copy(&self, offset: usize, into: &mut [u8]) -> bool {
        let fits = offset.checked_add(into.len()).is_some_and(|end| end <= self.bytes);
        if fits {
            // SAFETY: the bytes are in the mapping, which nobody but this process sees; `into` is none of it, being `&mut`.
            unsafe {
                self.address.as_ptr().add(offset).copy_to_nonoverlapping(into.as_mut_ptr(), into.len());
            };
        }
        fits
    }

    /// Some of its bytes as a buffer, which keeps the mapping; `None` where it does not hold as many.
    pub fn part(self: &Arc<Self>, offset: usize, bytes: usize) -> Option<Buffer> {
        let fits = offset.checked_add(bytes).is_some_and(|end| end <= self.bytes);
        // SAFETY: the part lies in the mapping, which is readable and writable and lives as long as its owner.
        fits.then(|| unsafe {
            Buffer::from_foreign(self.address.add(offset), bytes, Box::new(Arc::clone(self)))
        })
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        #[cfg(unix)]
        if self.bytes > 0 {
            // SAFETY: the mapping is this value's; buffers into it hold it, so there are none any more.
            unsafe { libc::munmap(self.address.as_ptr().cast(), self.bytes) };
        }
    }
}
