//! How much memory the machine has.

use super::fork::OnceLock;

/// The most that this process can ever touch: physical memory (or the container's share of it) plus swap.
///
/// Linux hands out address space beyond that and kills the process when it is touched, so the allocators refuse such
/// requests themselves. Where the amount is unknown, the limit is the address space.
pub(super) fn memory_limit() -> usize {
    static LIMIT: OnceLock<usize> = OnceLock::new();
    *LIMIT.get_or_init(|| {
        physical_memory().map_or(isize::MAX as usize, |physical| physical.saturating_add(swap()))
    })
}

/// Physical memory or the container's share of it, when it is known.
pub fn physical_memory() -> Option<usize> {
    let installed = meminfo("MemTotal:")?;
    let share =
        std::fs::read_to_string("/sys/fs/cgroup/memory.max").ok().and_then(|text| text.trim().parse().ok());
    Some(share.map_or(installed, |share: usize| share.min(installed)))
}

fn swap() -> usize {
    meminfo("SwapTotal:").unwrap_or(0)
}

/// An entry of `/proc/meminfo`, in bytes; `None` away from Linux.
fn meminfo(key: &str) -> Option<usize> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix(key))?;
    let kibibytes: usize = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kibibytes.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_os = "linux")]
    fn linux_tells_its_memory() {
        let physical = physical_memory().expect("/proc/meminfo has MemTotal");
        assert!(physical >= 1 << 26, "{physical}");
        assert!(memory_limit() >= physical && memory_limit() < isize::MAX as usize);
    }
}
