//! What every command shares: device, threads, and the terminal.

use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use alpha_clip::LoadOptions;
use anstyle::{AnsiColor, Style};
use anyhow::anyhow;
use candle_core::{DType, Device};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use kernels::{Instructions, Precision};

use super::args::{ColorChoice, DTypeChoice, DeviceChoice, Global};
use super::failure::{Failure, one_line};

/// Set by the first Ctrl-C; the second one ends the program at once.
static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// What every command shares.
#[derive(Clone)]
pub(crate) struct Context {
    pub(crate) device: Device,
    /// The type that towers and UNets compute in.
    pub(crate) dtype: DType,
    /// Whether transformers multiply in int8.
    int8: bool,
    /// What `--dtype` says, for commands that write weights.
    pub(crate) dtype_choice: DTypeChoice,
    pub(crate) threads: usize,
    pub(crate) verbose: bool,
    quiet: bool,
}

impl Context {
    pub(crate) fn new(global: &Global) -> Result<Self, Failure> {
        match global.color {
            ColorChoice::Auto => {}
            ColorChoice::Always => anstream::ColorChoice::Always.write_global(),
            ColorChoice::Never => anstream::ColorChoice::Never.write_global(),
        }
        check_instructions()?;
        let available = std::thread::available_parallelism().map_or(1, usize::from);
        let threads = global.threads.map_or(available, usize::from);
        rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build_global()
            .map_err(Failure::missing)?;
        let handler = || {
            if INTERRUPTED.swap(true, Ordering::Relaxed) {
                std::process::exit(130);
            }
        };
        ctrlc::set_handler(handler).map_err(Failure::missing)?;
        let device = open_device(global.device)?;
        if global.dtype == DTypeChoice::Int8 && !device.is_cpu() {
            return Err(Failure::usage(anyhow!(
                "--dtype int8 is for the CPU; give --device cpu or another type"
            )));
        }
        let fastest = LoadOptions::fastest(device.clone());
        let (dtype, int8) = match global.dtype {
            DTypeChoice::Auto => (fastest.dtype, fastest.int8),
            DTypeChoice::Int8 => (fastest.dtype, true),
            DTypeChoice::F32 => (DType::F32, false),
            DTypeChoice::F16 => (DType::F16, false),
            DTypeChoice::Bf16 => (DType::BF16, false),
        };
        Ok(Self {
            device,
            dtype,
            int8,
            dtype_choice: global.dtype,
            threads,
            verbose: global.verbose,
            quiet: global.quiet,
        })
    }

    /// The same for a network of a diffusion model, which has no int8.
    pub(crate) fn for_diffusion(&self) -> Result<Self, Failure> {
        if self.dtype_choice == DTypeChoice::Int8 {
            return Err(Failure::usage(anyhow!(
                "--dtype int8 is for the towers of CLIP; give auto, f32, f16 or bf16"
            )));
        }
        Ok(self.where_int8(false))
    }

    /// The same for a VAE, which pipelines keep in f32 where the UNet is in f16: it is so unless
    /// `--dtype` says otherwise.
    pub(crate) fn for_vae(&self) -> Result<Self, Failure> {
        let mut context = self.for_diffusion()?;
        if self.dtype_choice == DTypeChoice::Auto && context.dtype == DType::F16 {
            context.dtype = DType::F32;
        }
        Ok(context)
    }

    /// The same where int8 is known to be multiplied, or not to be.
    pub(crate) fn where_int8(&self, int8: bool) -> Self {
        Self {
            int8,
            ..self.clone()
        }
    }

    /// How the towers of a model are loaded.
    pub(crate) fn load_options(&self) -> LoadOptions {
        LoadOptions {
            device: self.device.clone(),
            dtype: self.dtype,
            int8: self.int8,
            ..LoadOptions::default()
        }
    }

    /// What networks multiply in.
    pub(crate) fn arithmetic(&self) -> &'static str {
        if self.int8 {
            "int8"
        } else {
            self.dtype.as_str()
        }
    }

    /// The same as the kernels call it, on a CPU.
    pub(crate) fn precision(&self) -> Precision {
        match self.dtype {
            _ if self.int8 => Precision::Int8,
            DType::BF16 => Precision::Bf16,
            _ => Precision::F32,
        }
    }

    /// Whether the user has pressed Ctrl-C.
    pub(crate) fn interrupted(&self) -> bool {
        INTERRUPTED.load(Ordering::Relaxed)
    }

    /// Says something that matters but stops nothing.
    pub(crate) fn warn(&self, message: impl std::fmt::Display) {
        if !self.quiet {
            say("warning", AnsiColor::Yellow, &message.to_string());
        }
    }

    /// A bar over `count` steps: on a terminal only, and only where it takes a while.
    pub(crate) fn bar(&self, count: u64, unit: &str) -> ProgressBar {
        if self.quiet || count < 2 || !io::stderr().is_terminal() {
            return ProgressBar::hidden();
        }
        let bar = ProgressBar::with_draw_target(Some(count), ProgressDrawTarget::stderr_with_hz(8));
        let style = format!("{{bar:30}} {{human_pos}}/{{human_len}} {unit} {{eta}} left");
        if let Ok(style) = ProgressStyle::with_template(&style) {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(250));
        bar
    }
}

/// Whether the variable that holds the kernels to lesser instructions says something they know.
fn check_instructions() -> Result<(), Failure> {
    let Some(given) = std::env::var_os(Instructions::VARIABLE) else {
        return Ok(());
    };
    let known = given.to_str().and_then(Instructions::named);
    known.map(|_| ()).ok_or_else(|| {
        Failure::usage(anyhow!(
            "{}: unknown instructions '{}'; give one of {}",
            Instructions::VARIABLE,
            given.display(),
            Instructions::ALL.map(Instructions::name).join(", ")
        ))
    })
}

fn open_device(choice: DeviceChoice) -> Result<Device, Failure> {
    match choice {
        DeviceChoice::Auto => Ok(Device::cuda_if_available(0)
            .ok()
            .filter(|d| !d.is_cpu())
            .or_else(|| Device::new_metal(0).ok())
            .unwrap_or(Device::Cpu)),
        DeviceChoice::Cpu => Ok(Device::Cpu),
        DeviceChoice::Cuda(index) => Device::new_cuda(index).map_err(|e| {
            Failure::missing(anyhow::anyhow!(
                "--device cuda:{index}: {}; use --device cpu, or a build with --features cuda",
                first_line(&e)
            ))
        }),
        DeviceChoice::Metal => Device::new_metal(0).map_err(|e| {
            Failure::missing(anyhow::anyhow!(
                "--device metal: {}; use --device cpu, or a build with --features metal",
                first_line(&e)
            ))
        }),
    }
}

fn first_line(error: &candle_core::Error) -> String {
    error
        .to_string()
        .lines()
        .next()
        .unwrap_or_default()
        .to_owned()
}

/// One line on stderr for an input that failed, above a bar if there is one.
pub(crate) fn error_line(bar: &ProgressBar, message: &str) {
    bar.suspend(|| say("error", AnsiColor::Red, message));
}

/// Says why the run failed; its exit code.
pub(crate) fn report(failure: &Failure) -> ExitCode {
    say("error", AnsiColor::Red, &one_line(&failure.error));
    ExitCode::from(failure.code)
}

fn say(kind: &str, color: AnsiColor, message: &str) {
    let style = Style::new().bold().fg_color(Some(color.into()));
    // Nobody is left to tell if this fails.
    let _ = writeln!(anstream::stderr(), "{style}{kind}{style:#}: {message}");
}
