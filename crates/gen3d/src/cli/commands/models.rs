//! `gen3d models`: what is known, what is here, and what a file holds.

use std::io::{self, Write};
use std::path::Path;

use alpha_clip::{AlphaClip, LoadOptions};
use anyhow::anyhow;
use checkpoint::hub::Cache;
use checkpoint::registry::{self, Kind, Source, Tower};
use checkpoint::{Checkpoint, ConvertOptions, Lora, Verdict};
use serde_json::{Value, json};

use crate::cli::args::{
    DTypeChoice, ListFormat, Models, ModelsAction, ModelsConvert, ModelsList, ModelsPull,
    ModelsShow, ModelsVerify,
};
use crate::cli::context::{Context, error_line};
use crate::cli::failure::{Failure, Outcome};
use crate::cli::model;

pub(crate) fn run(args: Models, context: &Context) -> Result<Outcome, Failure> {
    match args.action {
        ModelsAction::List(args) => list(&args),
        ModelsAction::Show(args) => show(&args, context),
        ModelsAction::Pull(args) => pull(&args, context),
        ModelsAction::Verify(args) => verify(&args, context),
        ModelsAction::Convert(args) => convert(&args, context),
    }
}

fn list(args: &ModelsList) -> Result<Outcome, Failure> {
    let cache = Cache::from_env();
    let towers = registry::towers().iter();
    let towers: Vec<&Tower> = towers
        .filter(|t| !args.commercial_only || t.licence().commercial)
        .collect();
    if args.format == ListFormat::Json {
        let all: Vec<Value> = towers.iter().map(|t| described(t, &cache)).collect();
        return print(&format!("{}\n", Value::Array(all)));
    }
    let mut rows = vec![["NAME", "WHAT", "PIXELS", "SIZE", "LICENCE", "HERE"].map(String::from)];
    let mini = gen3d::embedded::checkpoint().map_err(Failure::missing)?;
    let bytes: usize = mini
        .names()
        .filter_map(|n| mini.info(n))
        .map(|i| 2 * i.elements())
        .sum();
    rows.push([
        gen3d::embedded::NAME.into(),
        "small Alpha-CLIP for shapes".into(),
        "64".into(),
        megabytes(bytes as u64),
        "see its model card".into(),
        "embedded".into(),
    ]);
    for tower in towers {
        let licence = tower.licence();
        let use_of = if licence.commercial {
            ""
        } else {
            " (no commercial use)"
        };
        rows.push([
            tower.name.clone(),
            format!("{} {}", tower.architecture, what(tower)),
            tower.pixels.to_string(),
            megabytes(tower.approximate_bytes()),
            format!("{}{use_of}", licence.name),
            if cache.find(tower).is_some() {
                "yes"
            } else {
                "no"
            }
            .into(),
        ]);
    }
    print(&columns(&rows))
}

fn what(tower: &Tower) -> &'static str {
    match (tower.kind, tower.alpha) {
        (Kind::Clip, _) => "CLIP",
        (Kind::Vision, true) => "Alpha-CLIP vision tower",
        (Kind::Vision, false) => "vision tower",
        (Kind::Pipeline, _) => "image variation pipeline",
    }
}

fn described(tower: &Tower, cache: &Cache) -> Value {
    let licence = tower.licence();
    json!({
        "name": tower.name,
        "maker": tower.maker,
        "architecture": tower.architecture,
        "what": what(tower),
        "pixels": tower.pixels,
        "embedding": tower.embedding,
        "parameters": tower.parameters,
        "bytes": tower.approximate_bytes(),
        "context": tower.context,
        "alpha": tower.alpha,
        "activation": tower.activation,
        "licence": licence.name,
        "commercial": licence.commercial,
        "licence_in_plain_words": licence.plain,
        "licence_page": licence.page,
        "page": tower.page,
        "base": tower.base,
        "note": tower.note,
        "path": cache.find(tower),
    })
}

fn show(args: &ModelsShow, context: &Context) -> Result<Outcome, Failure> {
    let cache = Cache::from_env();
    let known = registry::find(&args.model).filter(|_| !Path::new(&args.model).exists());
    let mut facts = match known {
        Some(tower) => described(tower, &cache),
        None => json!({ "name": args.model }),
    };
    // Of a known model that is not here, the list is all there is to say.
    if known.is_none_or(|tower| cache.find(tower).is_some()) {
        let weights = if args.model == gen3d::embedded::NAME {
            gen3d::embedded::checkpoint().map_err(Failure::missing)?
        } else {
            model::open(&args.model, None)?
        };
        let found = of_file(&weights, args, context)?;
        if let (Value::Object(facts), Value::Object(found)) = (&mut facts, found) {
            facts.extend(found);
        }
    }
    if args.format == ListFormat::Json {
        return print(&format!("{facts}\n"));
    }
    let mut rows = Vec::new();
    flatten("", &facts, &mut rows);
    print(&columns(&rows))
}

/// Facts as rows `outer inner: value`.
fn flatten(before: &str, value: &Value, rows: &mut Vec<[String; 2]>) {
    match value {
        Value::Null => {}
        Value::Object(facts) => {
            for (name, value) in facts {
                let name = name.replace('_', " ");
                flatten(format!("{before} {name}").trim_start(), value, rows);
            }
        }
        Value::String(text) => rows.push([format!("{before}:"), text.clone()]),
        other => rows.push([format!("{before}:"), other.to_string()]),
    }
}

/// What the weights themselves say.
fn of_file(weights: &Checkpoint, args: &ModelsShow, context: &Context) -> Result<Value, Failure> {
    let parameters: usize = weights
        .names()
        .filter_map(|n| weights.info(n))
        .map(|i| i.elements())
        .sum();
    let mut facts = json!({
        "file": weights.name(),
        "form": weights.form().to_string(),
        "tensors": weights.names().len(),
        "parameters": parameters,
        "fingerprint": weights.fingerprint(),
        "metadata": weights.metadata(),
    });
    let alpha_weights = match &args.alpha_weights {
        None => None,
        Some(path) => Some(model::open(&path.display().to_string(), "--alpha-weights")?),
    };
    let options = LoadOptions {
        device: context.device.clone(),
        alpha_weights,
        ..LoadOptions::default()
    };
    // A file that is no CLIP by itself is shown with the reason, which names the remedy.
    let (name, value) = match AlphaClip::load(weights, &options) {
        Ok(clip) => ("clip", json!(clip.config())),
        Err(error) => ("not_a_whole_clip", json!(error.to_string())),
    };
    facts[name] = value;
    Ok(facts)
}

#[cfg(feature = "hub")]
fn pull(args: &ModelsPull, context: &Context) -> Result<Outcome, Failure> {
    use checkpoint::hub::Hub;
    let tower = registry::find(&args.model).ok_or_else(|| unknown(&args.model))?;
    let licence = tower.licence();
    context.warn(format!(
        "licence of {}: {}. {}",
        tower.name, licence.name, licence.plain
    ));
    let bar = context.bar(tower.approximate_bytes(), "bytes");
    let path = Hub::from_env()
        .offline(args.offline)
        .pull(tower, &mut |progress| {
            bar.set_length(progress.total);
            bar.set_position(progress.done);
        })
        .map_err(|e| Failure::missing(anyhow!("{}: {e}", tower.name)))?;
    bar.finish_and_clear();
    print(&format!("{}\n", path.display()))
}

#[cfg(not(feature = "hub"))]
fn pull(args: &ModelsPull, _: &Context) -> Result<Outcome, Failure> {
    let tower = registry::find(&args.model).ok_or_else(|| unknown(&args.model))?;
    if let Some(path) = Cache::from_env().find(tower) {
        return print(&format!("{}\n", path.display()));
    }
    let place = match &tower.source {
        Source::Hub { hub, .. } => format!("the repository {hub} on the Hugging Face hub"),
        Source::Url { url, .. } => url.clone(),
        Source::ByHand { by_hand, .. } => by_hand.clone(),
    };
    Err(Failure::missing(anyhow!(
        "{}: it is not on this machine, and this build never touches the network; build with \
         --features hub, or fetch it from {place}",
        tower.name
    )))
}

fn unknown(name: &str) -> Failure {
    let similar = registry::similar(name);
    let remedy = match similar.is_empty() {
        true => "gen3d models list shows all".to_owned(),
        false => format!("did you mean {}?", similar.join(", ")),
    };
    Failure::missing(anyhow!("no model is known by the name {name}; {remedy}"))
}

fn verify(args: &ModelsVerify, context: &Context) -> Result<Outcome, Failure> {
    let mut outcome = Outcome::Done;
    let mut out = String::new();
    for path in &args.files {
        let shown = path.display();
        let length = std::fs::metadata(path).map_or(0, |m| m.len());
        let bar = context.bar(length, "bytes");
        let verdict = checkpoint::verify(path, &mut |done| bar.set_position(done));
        bar.finish_and_clear();
        match verdict {
            Ok(Verdict::Published { tower, sha256 }) => {
                out += &format!("{shown}: is {} as published ({sha256})\n", tower.name);
            }
            Ok(Verdict::AsNamed { sha256 }) => {
                out += &format!("{shown}: is what its name promises ({sha256})\n");
            }
            Ok(Verdict::Unknown { sha256 }) => {
                out += &format!("{shown}: nothing was published to compare it with ({sha256})\n");
            }
            Ok(Verdict::Different { expected, found }) => {
                let told = format!(
                    "{shown}: is not what was published: SHA-256 {found}, not {expected}; \
                     download it again"
                );
                error_line(&bar, &told);
                outcome = Outcome::SomeFailed;
            }
            Err(error) => {
                error_line(&bar, &error.to_string());
                outcome = Outcome::SomeFailed;
            }
        }
    }
    print(&out)?;
    Ok(outcome)
}

fn convert(args: &ModelsConvert, context: &Context) -> Result<Outcome, Failure> {
    if context.dtype_choice == DTypeChoice::Int8 {
        return Err(Failure::usage(anyhow!(
            "--dtype int8 is for computing; files are kept in f32, f16 or bf16"
        )));
    }
    let options = ConvertOptions {
        dtype: match context.dtype_choice {
            DTypeChoice::Auto => None,
            _ => Some(context.dtype),
        },
        keep_names: args.keep_names,
        lora: Lora::Merge,
        licence: args.licence.clone(),
        overwrite: args.force,
    };
    let bar = context.bar(u64::MAX, "bytes");
    let done = checkpoint::convert(&args.source, &args.target, &options, &mut |done, all| {
        bar.set_length(all);
        bar.set_position(done);
    })
    .map_err(|error| Failure::failed(anyhow!("{error}")))?;
    bar.finish_and_clear();
    let target = args.target.display();
    print(&format!(
        "{target}: {} tensors, {}\n",
        done.tensors,
        megabytes(done.bytes)
    ))
}

fn megabytes(bytes: u64) -> String {
    match bytes {
        0..1_000_000 => format!("{:.1} MB", bytes as f64 / 1e6),
        1_000_000..10_000_000_000 => format!("{:.0} MB", bytes as f64 / 1e6),
        _ => format!("{:.1} GB", bytes as f64 / 1e9),
    }
}

/// Rows with their cells in columns.
fn columns<const N: usize>(rows: &[[String; N]]) -> String {
    let width = |column: usize| {
        rows.iter()
            .map(|r| r[column].chars().count())
            .max()
            .unwrap_or(0)
    };
    let widths: [usize; N] = std::array::from_fn(width);
    let mut out = String::new();
    for row in rows {
        let cells: Vec<String> = row
            .iter()
            .zip(widths)
            .map(|(cell, width)| format!("{cell:width$}"))
            .collect();
        out += cells.join("  ").trim_end();
        out.push('\n');
    }
    out
}

fn print(text: &str) -> Result<Outcome, Failure> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())
        .and_then(|()| out.flush())
        .map_err(Failure::output)?;
    Ok(Outcome::Done)
}
