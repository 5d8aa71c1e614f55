//! Memory of this process.

use serde::Serialize;

/// Memory of the process in MiB, where the system tells (Linux).
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct Memory {
    /// What it held when the weights were there.
    loaded_mib: Option<u64>,
    /// The most that it held so far.
    peak_mib: Option<u64>,
}

impl Memory {
    /// Notes what the process holds now that its weights are loaded.
    pub(super) fn loaded() -> Self {
        let mut memory = Self {
            loaded_mib: mib("VmRSS:"),
            peak_mib: None,
        };
        memory.update();
        memory
    }

    /// Reads the peak again.
    pub(super) fn update(&mut self) {
        self.peak_mib = mib("VmHWM:");
    }
}

fn mib(field: &str) -> Option<u64> {
    parse(&std::fs::read_to_string("/proc/self/status").ok()?, field)
}

/// The value of a field in KiB lines, in MiB.
fn parse(status: &str, field: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(field))?;
    let kib: u64 = line.trim().strip_suffix(" kB")?.trim().parse().ok()?;
    Some(kib / 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found() {
        let status = "Name:\tgen3d\nVmHWM:\t  204800 kB\nVmRSS:\t     512 kB\n";
        assert_eq!(parse(status, "VmHWM:"), Some(200));
        assert_eq!(parse(status, "VmRSS:"), Some(0));
        assert_eq!(parse(status, "VmSwap:"), None);
    }
}
