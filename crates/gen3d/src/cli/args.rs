//! The command line, from which help, completions and the man page are made.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args, Parser, Subcommand, ValueEnum};
use point_clip::recognize::{Focus, Projection, ShapeOptions, UpChoice};

use super::commands::bench::{BenchUnet, BenchVae};
use super::commands::vary::Vary;

/// Names 3D things and varies pictures of them.
#[derive(Debug, Parser)]
#[command(
    name = "gen3d",
    version,
    about,
    propagate_version = true,
    after_help = "Examples:\n  \
        gen3d recognize chair.ply\n  \
        gen3d recognize assets/ --labels 'chair,table,lamp' --format jsonl\n  \
        gen3d project chair.ply -o views/\n  \
        gen3d classify photo.jpg --mask dog.png --model ViT-B-16.pt\n\n\
        Exit codes: 0 all inputs done, 1 some failed, 2 wrong command line, 3 a model or an output \
        folder is missing, 130 interrupted."
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Options of every command.
#[derive(Debug, Args)]
#[command(next_help_heading = "Running")]
pub(crate) struct Global {
    /// Threads to use [default: one for each core]
    #[arg(long, global = true, value_name = "N")]
    pub(crate) threads: Option<NonZeroUsize>,
    /// Where to compute: auto, cpu, cuda[:N], metal
    #[arg(long, global = true, default_value = "auto", value_name = "DEVICE")]
    pub(crate) device: DeviceChoice,
    /// Type to compute in
    #[arg(long, global = true, value_enum, default_value_t = DTypeChoice::Auto, value_name = "TYPE")]
    pub(crate) dtype: DTypeChoice,
    /// Say only what failed
    #[arg(long, short, global = true)]
    pub(crate) quiet: bool,
    /// Say more: votes of every view, the pose that was chosen
    #[arg(long, short, global = true)]
    pub(crate) verbose: bool,
    /// Colours on the terminal
    #[arg(long, global = true, value_enum, default_value_t = ColorChoice::Auto, value_name = "WHEN")]
    pub(crate) color: ColorChoice,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Name clouds and meshes
    Recognize(Recognize),
    /// Draw the views that a tower sees, and a contact sheet of them
    Project(Project),
    /// Name what a picture shows, or a region of it
    Classify(Classify),
    /// Write features of texts, pictures or shapes
    Embed(Embed),
    /// Make variations of what a picture, or a region of it, shows
    Vary(Box<Vary>),
    /// List, show, check and convert models
    Models(Models),
    /// Measure speed and accuracy, one JSON object a line
    Bench(Bench),
    /// Print a completion script for a shell
    Completions(Completions),
    /// Print the manual page
    Man,
}

#[derive(Debug, Args)]
pub(crate) struct Recognize {
    /// Files, folders, globs; - for stdin
    #[arg(required = true, value_name = "INPUT")]
    pub(crate) inputs: Vec<String>,
    #[command(flatten)]
    pub(crate) words: Words,
    #[command(flatten)]
    pub(crate) model: ModelArgs,
    #[command(flatten)]
    pub(crate) views: ViewArgs,
    #[command(flatten)]
    pub(crate) results: Results,
}

#[derive(Debug, Args)]
pub(crate) struct Project {
    /// Files, folders, globs; - for stdin
    #[arg(required = true, value_name = "INPUT")]
    pub(crate) inputs: Vec<String>,
    /// Folder for the pictures
    #[arg(long, short, value_name = "DIR")]
    pub(crate) out: PathBuf,
    /// Side of a view in pixels (shaded views only)
    #[arg(long, default_value_t = 224, value_parser = clap::value_parser!(u32).range(16..=4096), value_name = "PIXELS")]
    pub(crate) size: u32,
    /// Replace files that exist
    #[arg(long)]
    pub(crate) force: bool,
    #[command(flatten)]
    pub(crate) views: ViewArgs,
}

#[derive(Debug, Args)]
pub(crate) struct Classify {
    /// Pictures, folders, globs
    #[arg(required = true, value_name = "IMAGE")]
    pub(crate) inputs: Vec<String>,
    #[command(flatten)]
    pub(crate) region: RegionArgs,
    #[command(flatten)]
    pub(crate) words: Words,
    #[command(flatten)]
    pub(crate) model: ModelArgs,
    /// What the region is used for
    #[arg(long, default_value_t, value_parser = Focus::from_str, value_name = "none|alpha|foveal")]
    pub(crate) focus: Focus,
    #[command(flatten)]
    pub(crate) results: Results,
}

#[derive(Debug, Args)]
pub(crate) struct Embed {
    #[command(subcommand)]
    pub(crate) what: EmbedWhat,
}

#[derive(Debug, Subcommand)]
pub(crate) enum EmbedWhat {
    /// Features of texts
    Text(EmbedText),
    /// Features of pictures or regions of them
    Image(EmbedImage),
    /// Features of clouds and meshes
    Cloud(EmbedCloud),
}

#[derive(Debug, Args)]
pub(crate) struct EmbedText {
    /// Texts; - for one a line from stdin
    #[arg(required = true, value_name = "TEXT")]
    pub(crate) texts: Vec<String>,
    /// Cut a text that is longer than the model takes, instead of refusing it
    #[arg(long)]
    pub(crate) truncate: bool,
    #[command(flatten)]
    pub(crate) model: ModelArgs,
    #[command(flatten)]
    pub(crate) output: FeatureOutput,
}

#[derive(Debug, Args)]
pub(crate) struct EmbedImage {
    /// Pictures, folders, globs
    #[arg(required = true, value_name = "IMAGE")]
    pub(crate) inputs: Vec<String>,
    #[command(flatten)]
    pub(crate) region: RegionArgs,
    #[command(flatten)]
    pub(crate) model: ModelArgs,
    /// What the region is used for
    #[arg(long, default_value_t, value_parser = Focus::from_str, value_name = "none|alpha|foveal")]
    pub(crate) focus: Focus,
    #[command(flatten)]
    pub(crate) output: FeatureOutput,
}

#[derive(Debug, Args)]
pub(crate) struct EmbedCloud {
    /// Files, folders, globs; - for stdin
    #[arg(required = true, value_name = "INPUT")]
    pub(crate) inputs: Vec<String>,
    #[command(flatten)]
    pub(crate) model: ModelArgs,
    #[command(flatten)]
    pub(crate) views: ViewArgs,
    #[command(flatten)]
    pub(crate) output: FeatureOutput,
}

/// Where features go.
#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
pub(crate) struct FeatureOutput {
    /// File to write [default: stdout]
    #[arg(long, short, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// Form of the features [default: by the name of --out, else jsonl]
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub(crate) format: Option<FeatureFormat>,
    /// As the tower gives them, not brought to unit length; of a shape, the mean of its views' unit
    /// features
    #[arg(long)]
    pub(crate) raw: bool,
    /// Replace a file that exists
    #[arg(long)]
    pub(crate) force: bool,
}

/// Form of features.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum FeatureFormat {
    /// One f32 array [N, E]
    Npy,
    /// The same with the inputs' names in the metadata
    Safetensors,
    /// One JSON object an input
    Jsonl,
}

#[derive(Debug, Args)]
pub(crate) struct Models {
    #[command(subcommand)]
    pub(crate) action: ModelsAction,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ModelsAction {
    /// Known models: size, resolution, licence, and whether they are on this machine
    List(ModelsList),
    /// All that is known of a model, by name or from its file
    Show(ModelsShow),
    /// Download a published model (builds with the feature `hub`)
    Pull(ModelsPull),
    /// Compare files with the hashes that were published
    Verify(ModelsVerify),
    /// Write a model as one safetensors file under standard names; --dtype f16 halves it
    Convert(ModelsConvert),
}

#[derive(Debug, Args)]
pub(crate) struct ModelsList {
    /// Leave out those that may not be used commercially
    #[arg(long)]
    pub(crate) commercial_only: bool,
    /// Form of the list
    #[arg(long, value_enum, default_value_t = ListFormat::Text, value_name = "FORMAT")]
    pub(crate) format: ListFormat,
}

#[derive(Debug, Args)]
pub(crate) struct ModelsShow {
    /// Name of a known model, a folder, or a file
    #[arg(value_name = "MODEL", default_value = gen3d::embedded::NAME)]
    pub(crate) model: String,
    /// Alpha-CLIP weights that go over the model
    #[arg(long, value_name = "FILE")]
    pub(crate) alpha_weights: Option<PathBuf>,
    /// Form of the description
    #[arg(long, value_enum, default_value_t = ListFormat::Text, value_name = "FORMAT")]
    pub(crate) format: ListFormat,
}

#[derive(Debug, Args)]
pub(crate) struct ModelsPull {
    /// Name of a known model, or OWNER/NAME on the hub
    #[arg(value_name = "MODEL")]
    pub(crate) model: String,
    /// Only say where it is; never touch the network
    #[arg(long)]
    pub(crate) offline: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ModelsVerify {
    /// Weight files
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct ModelsConvert {
    /// File or folder to read
    #[arg(value_name = "SRC")]
    pub(crate) source: PathBuf,
    /// The safetensors file to write
    #[arg(value_name = "DST.safetensors")]
    pub(crate) target: PathBuf,
    /// Keep the names of the source
    #[arg(long)]
    pub(crate) keep_names: bool,
    /// Licence to note in the file
    #[arg(long, value_name = "TEXT")]
    pub(crate) licence: Option<String>,
    /// Replace a file that exists
    #[arg(long)]
    pub(crate) force: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Bench {
    #[command(subcommand)]
    pub(crate) what: BenchWhat,
}

#[derive(Debug, Subcommand)]
pub(crate) enum BenchWhat {
    /// Pictures a second through a vision tower of random weights
    Encode(BenchEncode),
    /// Billions of operations a second of one product of square matrices: the peak of the towers
    Gemm(BenchGemm),
    /// Texts a second through a text tower of random weights
    Text(BenchText),
    /// Milliseconds to draw the views of a cloud
    Project(BenchProject),
    /// Bytes a second from a file to points
    Load(BenchLoad),
    /// Accuracy of the recogniser on a labelled set
    Recognize(BenchRecognize),
    /// Synonyms and hypernyms against the model's words, and against shapes
    Words(BenchWords),
    /// Accuracy on one object of a scene of several, pointed at by a mask
    Regions(BenchRegions),
    /// Seconds of one step of a diffusion UNet of random weights, and peak memory
    Unet(BenchUnet),
    /// Seconds to decode a picture with a VAE of random weights, and peak memory
    Vae(BenchVae),
}

#[derive(Debug, Args)]
pub(crate) struct BenchEncode {
    /// Architecture: ViT-B-32, ViT-B-16, ViT-L-14, ViT-L-14-336, gen3d-mini
    #[arg(long, default_value = "ViT-B-16", value_name = "NAME")]
    pub(crate) arch: String,
    /// A CLIP to measure in place of random weights: name of a known one, folder or file
    #[arg(long, conflicts_with = "arch", value_name = "NAME|DIR|FILE")]
    pub(crate) model: Option<String>,
    /// Pictures in a batch
    #[arg(long, value_delimiter = ',', default_values_t = [10], value_parser = clap::value_parser!(u32).range(1..=1024), value_name = "N,…")]
    pub(crate) batch: Vec<u32>,
    /// Normalised pictures in place of random ones: safetensors with `pixels` [N, 3, R, R], f32
    #[arg(long, value_name = "FILE")]
    pub(crate) pixels: Option<PathBuf>,
    /// Write the features of the last batch, not normalised, to this safetensors file
    #[arg(long, value_name = "FILE")]
    pub(crate) features: Option<PathBuf>,
    /// Times that are measured
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=1000), value_name = "N")]
    pub(crate) runs: u32,
}

#[derive(Debug, Args)]
pub(crate) struct BenchGemm {
    /// Rows and columns of the matrices
    #[arg(long, default_value_t = 2048, value_parser = clap::value_parser!(u32).range(1..=16384), value_name = "N")]
    pub(crate) side: u32,
    /// Times that are measured
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=1000), value_name = "N")]
    pub(crate) runs: u32,
}

#[derive(Debug, Args)]
pub(crate) struct BenchText {
    /// Architecture: ViT-B-32, ViT-B-16, ViT-L-14, gen3d-mini
    #[arg(long, default_value = "ViT-B-16", value_name = "NAME")]
    pub(crate) arch: String,
    /// A CLIP to measure in place of random weights: name of a known one, folder or file
    #[arg(long, conflicts_with = "arch", value_name = "NAME|DIR|FILE")]
    pub(crate) model: Option<String>,
    /// Texts in a batch
    #[arg(long, default_value_t = 40, value_parser = clap::value_parser!(u32).range(1..=1024), value_name = "N")]
    pub(crate) batch: u32,
    /// Texts to take in turn, one a line [default: a prompt for each of the labels "objects"]
    #[arg(long, value_name = "FILE")]
    pub(crate) texts: Option<PathBuf>,
    /// Write the features, not normalised, to this safetensors file
    #[arg(long, value_name = "FILE")]
    pub(crate) features: Option<PathBuf>,
    /// Times that are measured
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=1000), value_name = "N")]
    pub(crate) runs: u32,
}

#[derive(Debug, Args)]
pub(crate) struct BenchProject {
    /// Points of the cloud
    #[arg(long, value_delimiter = ',', default_values_t = [2_000, 100_000], value_name = "N,…")]
    pub(crate) points: Vec<usize>,
    /// How it is drawn [default: all]
    #[arg(long, value_parser = Projection::from_str, value_name = "shaded|v1|v1-fewshot|v2")]
    pub(crate) projection: Option<Projection>,
    /// Side of a shaded view; those of PointCLIP are of 224 pixels
    #[arg(long, default_value_t = 224, value_parser = clap::value_parser!(u16).range(8..=2048), value_name = "PIXELS")]
    pub(crate) image_size: u16,
    /// Times that are measured
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=1000), value_name = "N")]
    pub(crate) runs: u32,
}

#[derive(Debug, Args)]
pub(crate) struct BenchLoad {
    /// Cloud or mesh files
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// Times that are measured
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=1000), value_name = "N")]
    pub(crate) runs: u32,
}

#[derive(Debug, Args)]
pub(crate) struct BenchRecognize {
    /// Index of a packed set (NAME.json beside NAME.safetensors or NAME.safetensors.zst), or that
    /// set itself
    #[arg(long, required = true, value_name = "FILE")]
    pub(crate) set: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) labels: MoreLabels,
    #[command(flatten)]
    pub(crate) model: ModelArgs,
    #[command(flatten)]
    pub(crate) views: ViewArgs,
    /// A label in a prompt; may be given several times [default: the model's]
    #[arg(long, value_name = "\"a {}.\"")]
    pub(crate) prompt: Vec<String>,
    /// Turn each shape to one of the six axis directions at random
    #[arg(long)]
    pub(crate) turned: bool,
    /// Take half of each shape away: one side of a plane of random direction through its centroid
    #[arg(long)]
    pub(crate) cut: bool,
    /// Noise on each coordinate: standard deviation in half diagonals of the bounding box
    #[arg(long, default_value_t = 0., value_parser = share, value_name = "SHARE")]
    pub(crate) noise: f32,
    /// Share of the points that lie anywhere in the bounding box instead
    #[arg(long, default_value_t = 0., value_parser = share, value_name = "SHARE")]
    pub(crate) outliers: f32,
    /// Also print the N most frequent mistakes
    #[arg(long, default_value_t = 0, value_name = "N")]
    pub(crate) confusions: usize,
    /// Also print the accuracy of each class
    #[arg(long)]
    pub(crate) per_class: bool,
}

#[derive(Debug, Args)]
pub(crate) struct BenchWords {
    /// Also compare the words with the meshes of a packed set; may be given several times
    #[arg(long, value_name = "FILE")]
    pub(crate) set: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) labels: MoreLabels,
    #[command(flatten)]
    pub(crate) model: ModelArgs,
    #[command(flatten)]
    pub(crate) views: ViewArgs,
    /// A word in a prompt; may be given several times [default: the model's]
    #[arg(long, value_name = "\"a {}.\"")]
    pub(crate) prompt: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct BenchRegions {
    /// Index of a packed set, whose meshes stand in the scenes
    #[arg(long, required = true, value_name = "FILE")]
    pub(crate) set: Vec<PathBuf>,
    /// Objects in a scene
    #[arg(long, value_delimiter = ',', default_values_t = [2, 3], value_parser = clap::value_parser!(u8).range(2..=4), value_name = "N,…")]
    pub(crate) objects: Vec<u8>,
    /// Scenes of each number of objects
    #[arg(long, default_value_t = 150, value_parser = clap::value_parser!(u32).range(1..), value_name = "N")]
    pub(crate) scenes: u32,
    #[command(flatten)]
    pub(crate) labels: MoreLabels,
    #[command(flatten)]
    pub(crate) model: ModelArgs,
    #[command(flatten)]
    pub(crate) views: ViewArgs,
    /// A label in a prompt; may be given several times [default: the model's]
    #[arg(long, value_name = "\"a {}.\"")]
    pub(crate) prompt: Vec<String>,
}

/// Words to choose from beside a set's own.
#[derive(Debug, Args)]
#[command(next_help_heading = "Words")]
pub(crate) struct MoreLabels {
    /// File with more labels to choose from, one a line
    #[arg(long, value_name = "FILE", group = "more_labels")]
    pub(crate) labels_file: Option<PathBuf>,
    /// More labels to choose from, that come with the program: objects, modelnet40, modelnet10,
    /// scanobjectnn
    #[arg(long, value_name = "NAME", group = "more_labels")]
    pub(crate) label_set: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Completions {
    /// The shell
    #[arg(value_enum, value_name = "SHELL")]
    pub(crate) shell: clap_complete::Shell,
}

/// The words to choose from.
#[derive(Debug, Args)]
#[command(next_help_heading = "Words")]
pub(crate) struct Words {
    /// Labels to choose from
    #[arg(
        long,
        value_delimiter = ',',
        value_name = "A,B,C",
        group = "labels_from"
    )]
    pub(crate) labels: Vec<String>,
    /// File with one label a line
    #[arg(long, value_name = "FILE", group = "labels_from")]
    pub(crate) labels_file: Option<PathBuf>,
    /// Labels that come with the program: objects, modelnet40, modelnet10, scanobjectnn
    #[arg(
        long,
        default_value = "objects",
        value_name = "NAME",
        group = "labels_from"
    )]
    pub(crate) label_set: String,
    /// A label in a prompt; may be given several times [default: the model's]
    #[arg(long, value_name = "\"a {}.\"")]
    pub(crate) prompt: Vec<String>,
    /// Labels shown for each input
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..), value_name = "N")]
    pub(crate) top: u32,
    /// Do not keep text features between runs
    #[arg(long)]
    pub(crate) no_cache: bool,
}

/// Which model.
#[derive(Debug, Args)]
#[command(next_help_heading = "Model")]
pub(crate) struct ModelArgs {
    /// A CLIP: name of a known one, folder or file [default: the embedded gen3d-mini]
    #[arg(long, value_name = "NAME|DIR|FILE")]
    pub(crate) model: Option<String>,
    /// Alpha-CLIP weights that go over it
    #[arg(long, value_name = "FILE")]
    pub(crate) alpha_weights: Option<PathBuf>,
    /// The model's config.json or open_clip_config.json, where none lies beside it
    #[arg(long, value_name = "FILE", requires = "model")]
    pub(crate) model_config: Option<PathBuf>,
    /// The model's activation, where its configuration is wrong or absent
    #[arg(long, value_enum, value_name = "NAME")]
    pub(crate) activation: Option<ActivationChoice>,
    /// Side of the picture that the model looks at, in pixels; its table of positions is
    /// interpolated [default: what it was made for]
    #[arg(long, value_name = "PIXELS")]
    pub(crate) image_size: Option<usize>,
}

/// Activation of a tower's blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ActivationChoice {
    /// OpenAI's and Alpha-CLIP's models
    #[value(name = "quickgelu", aliases = ["quick-gelu", "quick_gelu"])]
    QuickGelu,
    /// Most of open_clip's models
    Gelu,
}

/// How shapes are drawn.
#[derive(Debug, Args)]
#[command(next_help_heading = "Views")]
pub(crate) struct ViewArgs {
    /// How shapes are drawn
    #[arg(long, default_value_t, value_parser = Projection::from_str, value_name = "shaded|v1|v1-fewshot|v2")]
    pub(crate) projection: Projection,
    /// Number of shaded views
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..=360), value_name = "N")]
    pub(crate) views: u16,
    /// What the foreground is used for
    #[arg(long, default_value_t, value_parser = Focus::from_str, value_name = "none|alpha|foveal")]
    pub(crate) focus: Focus,
    /// The direction of the file that is up
    #[arg(long, default_value = "auto", value_parser = UpChoice::from_str, allow_hyphen_values = true, value_name = "auto|+x|-x|+y|-y|+z|-z")]
    pub(crate) up: UpChoice,
    /// Points to draw from the surface or the cloud [default: all; a mesh as a surface]
    #[arg(long, value_name = "N")]
    pub(crate) points: Option<NonZeroUsize>,
    /// Seed of that draw
    #[arg(long, default_value_t = 0, value_name = "S")]
    pub(crate) seed: u64,
}

impl ViewArgs {
    /// The same as the library takes it.
    pub(crate) fn options(&self) -> ShapeOptions {
        ShapeOptions {
            projection: self.projection,
            views: self.views.into(),
            focus: self.focus,
            up: self.up,
            points: self.points.map(usize::from),
            seed: self.seed,
        }
    }
}

/// The region of a picture; without one, all of it.
#[derive(Debug, Args)]
#[command(next_help_heading = "Region")]
pub(crate) struct RegionArgs {
    /// Picture of the region: white, or opaque, is inside
    #[arg(long, value_name = "FILE", group = "region")]
    pub(crate) mask: Option<PathBuf>,
    /// Box in pixels: left, top, width, height
    #[arg(long = "box", value_name = "X,Y,W,H", group = "region")]
    pub(crate) bounds: Option<String>,
    /// Point in pixels; may be given several times
    #[arg(long, value_name = "X,Y", group = "region")]
    pub(crate) point: Vec<String>,
    /// Corners of a polygon in pixels
    #[arg(long, value_name = "X,Y,X,Y,…", group = "region")]
    pub(crate) polygon: Option<String>,
    /// COCO run-length encoding, a JSON file
    #[arg(long, value_name = "FILE", group = "region")]
    pub(crate) rle: Option<PathBuf>,
}

/// Where results go.
#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
pub(crate) struct Results {
    /// Form of the results
    #[arg(long, value_enum, default_value_t = Format::Text, value_name = "FORMAT")]
    pub(crate) format: Format,
    /// File to write [default: stdout]
    #[arg(long, short, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// Replace a file that exists
    #[arg(long)]
    pub(crate) force: bool,
}

/// Form of results.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Columns, for people
    Text,
    /// One JSON array
    Json,
    /// One JSON object an input
    Jsonl,
    /// Columns input, rank, label, score
    Csv,
}

/// Form of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ListFormat {
    /// Columns, for people
    Text,
    /// JSON
    Json,
}

/// `--color`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ColorChoice {
    /// On a terminal, unless NO_COLOR is set
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// A share of a whole.
fn share(s: &str) -> Result<f32, String> {
    match s.parse() {
        Ok(share) if (0. ..=1.).contains(&share) => Ok(share),
        _ => Err("give a number from 0 to 1".into()),
    }
}

/// `--dtype`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum DTypeChoice {
    /// The fastest that keeps the answers, where the CPU multiplies it: int8 for transformers of
    /// towers (VNNI), bf16 for what else there is (AVX512-BF16), else f32; f16 for diffusion on a GPU
    Auto,
    /// Single precision: the reference's numbers
    F32,
    /// Half precision
    F16,
    /// Half precision with the range of single
    Bf16,
    /// Bytes with a scale for every 64 values, in the transformers of towers on a CPU
    Int8,
}

/// `--device`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DeviceChoice {
    Auto,
    Cpu,
    Cuda(usize),
    Metal,
}

impl FromStr for DeviceChoice {
    type Err = String;

    fn from_str(s: &str) -> Result<Self, String> {
        let unknown =
            || format!("unknown device '{s}'; give one of auto, cpu, cuda, cuda:N, metal");
        match s {
            "auto" => Ok(Self::Auto),
            "cpu" => Ok(Self::Cpu),
            "cuda" => Ok(Self::Cuda(0)),
            "metal" => Ok(Self::Metal),
            _ => {
                let index = s.strip_prefix("cuda:").ok_or_else(unknown)?;
                index.parse().map(Self::Cuda).map_err(|_| unknown())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_definitions_are_sound() {
        Cli::command().debug_assert();
        assert_eq!("cuda:2".parse(), Ok(DeviceChoice::Cuda(2)));
        assert!("gpu".parse::<DeviceChoice>().is_err());
    }
}
