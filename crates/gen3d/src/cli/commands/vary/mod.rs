//! `gen3d vary`: variations of what a picture, or a region of it, shows.

mod args;
mod events;
mod outputs;
mod prepare;
mod raw;
mod record;
mod regions;
mod source;

use std::ops::ControlFlow;

use image_variation::{Error, Run, Step, Variation};
use indicatif::ProgressBar;

pub(crate) use args::Vary;
use events::{Event, Events};
use outputs::Folder;
use prepare::Prepared;

use crate::cli::context::Context;
use crate::cli::failure::{Failure, Outcome};

pub(crate) fn run(args: &Vary, context: &Context) -> Result<Outcome, Failure> {
    // From what is cheap to check to what is not: nothing is loaded for a run that cannot be.
    let count = args.sampling.count as usize;
    let preview = args.output.preview.is_some();
    let mut folder =
        Folder::open(&args.out, count, preview, args.output.force).map_err(Failure::missing)?;
    if let Some(raw) = &args.output.raw {
        raw::check_form(raw).map_err(Failure::usage)?;
        crate::cli::files::refuse_existing(raw, args.output.force).map_err(Failure::missing)?;
    }
    let inputs = prepare::Inputs::read(args, context)?;
    let pipeline = prepare::open(args, context)?;
    let prepared = inputs.request(args, &pipeline, context)?;
    let mut run = pipeline.start(&prepared.request).map_err(failure)?;

    let events = Events::new(args.output.format);
    events.say(&Event::Start {
        run: &prepared.record,
    })?;
    let mut session = Session {
        context,
        events,
        bar: context.bar(u64::from(args.sampling.steps) * count as u64, "steps"),
        preview: args.output.preview.map(|every| every as usize),
        size: prepared.size,
        raw: args.output.raw.is_some().then(Vec::new),
    };
    let ended = session.make(&mut run, &mut folder, &prepared);
    session.bar.finish_and_clear();

    // Whatever happened, what is finished stays, and is told of.
    let made = folder.made().len();
    let kept = keep(args, &inputs, &prepared, &folder, session.raw.as_deref());
    ended.and(kept)?;
    let interrupted = context.interrupted() && made < count;
    session.events.say(&Event::Done {
        pictures: made,
        interrupted,
    })?;
    let flagged = folder.made().iter().filter(|m| m.flagged == Some(true));
    match flagged.count() {
        0 => {}
        n => context.warn(format!(
            "the pipeline's safety checker flagged {n} of {made} pictures, which are black; it is \
             often wrong, and --no-safety-check turns it off"
        )),
    }
    match interrupted {
        true => Err(Failure::interrupted()),
        false => Ok(Outcome::Done),
    }
}

/// Writes what belongs to all pictures together, if there is one.
fn keep(
    args: &Vary,
    inputs: &prepare::Inputs,
    prepared: &Prepared,
    folder: &Folder,
    raw: Option<&[Variation]>,
) -> Result<(), Failure> {
    if folder.made().is_empty() {
        return Ok(());
    }
    folder
        .finish(&inputs.subject.picture, &inputs.planes, &prepared.record)
        .map_err(Failure::missing)?;
    if let (Some(path), Some(done)) = (&args.output.raw, raw) {
        raw::write(path, done, args.output.force).map_err(Failure::missing)?;
    }
    Ok(())
}

/// What goes along with a run.
struct Session<'a> {
    context: &'a Context,
    events: Events,
    bar: ProgressBar,
    /// Steps from one preview to the next.
    preview: Option<usize>,
    size: (u32, u32),
    /// What `--raw` writes at the end.
    raw: Option<Vec<Variation>>,
}

impl Session<'_> {
    /// Makes all pictures, and writes each batch when it is done.
    fn make(
        &mut self,
        run: &mut Run<'_>,
        folder: &mut Folder,
        prepared: &Prepared,
    ) -> Result<(), Failure> {
        loop {
            let mut failed = None;
            let batch = run.next_batch(&mut |step| match self.step(&step, folder) {
                Ok(()) if self.context.interrupted() => ControlFlow::Break(()),
                Ok(()) => ControlFlow::Continue(()),
                Err(failure) => {
                    failed = Some(failure);
                    ControlFlow::Break(())
                }
            });
            for variation in batch.map_err(failure)?.into_iter().flatten() {
                self.picture(variation, folder, prepared)?;
            }
            if let Some(failure) = failed {
                return Err(failure);
            }
            if folder.made().len() >= prepared.request.count || self.context.interrupted() {
                return Ok(());
            }
        }
    }

    fn picture(
        &mut self,
        variation: Variation,
        folder: &mut Folder,
        prepared: &Prepared,
    ) -> Result<(), Failure> {
        let picture = variation.to_rgb8().map_err(failure)?;
        let made = folder
            .add(
                variation.index,
                &picture,
                variation.flagged,
                &prepared.record,
            )
            .map_err(Failure::missing)?;
        let path = folder.path_of(&made.file).display().to_string();
        if let Some(raw) = &mut self.raw {
            raw.push(variation);
        }
        let event = Event::Picture {
            index: made.index,
            file: &path,
            flagged: made.flagged,
        };
        self.bar.suspend(|| self.events.say(&event))
    }

    fn step(&self, step: &Step<'_>, folder: &Folder) -> Result<(), Failure> {
        let pictures = step.images.len();
        self.bar.set_length((step.count * step.total) as u64);
        let taken = step.images.start * step.total + pictures * step.step;
        self.bar.set_position(taken as u64);
        self.events.say(&Event::Step {
            index: step.images.start,
            pictures,
            step: step.step,
            steps: step.total,
        })?;
        let due = self
            .preview
            .is_some_and(|every| step.step.is_multiple_of(every));
        if !due {
            return Ok(());
        }
        let colours = step.preview().map_err(failure)?;
        for (row, index) in step.images.clone().enumerate() {
            let colours = colours.get(row).map_err(Failure::failed)?;
            let name = folder
                .preview(index, &colours, self.size)
                .map_err(Failure::missing)?;
            self.events.say(&Event::Preview {
                index,
                step: step.step,
                file: &folder.path_of(&name).display().to_string(),
            })?;
        }
        Ok(())
    }
}

/// Which part of the command line, or of what it names, is at fault.
fn failure(error: Error) -> Failure {
    match error {
        Error::Setting { .. } | Error::Input { .. } => Failure::usage(error),
        Error::Pipeline { .. } | Error::Checkpoint(_) => Failure::missing(error),
        _ => Failure::failed(error),
    }
}
