//! gen3d-mini, the model that travels inside the program.

use std::collections::BTreeMap;

use alpha_clip::PromptTemplates;
use checkpoint::Checkpoint;

/// Name of the embedded model.
pub const NAME: &str = "gen3d-mini";

static WEIGHTS: &[u8] = include_bytes!("../../../assets/gen3d-mini/gen3d-mini.safetensors");

/// The weights of gen3d-mini, a small Alpha-CLIP for shaded views of shapes.
///
/// # Errors
/// None in practice: the file is part of the program.
pub fn checkpoint() -> checkpoint::Result<Checkpoint> {
    Checkpoint::from_bytes(WEIGHTS, NAME)
}

/// The prompts that a model file asks for in its metadata (`prompt_templates`, a JSON list).
pub fn templates(metadata: &BTreeMap<String, String>) -> Option<PromptTemplates> {
    let prompts: Vec<String> = serde_json::from_str(metadata.get("prompt_templates")?).ok()?;
    PromptTemplates::new(prompts).ok()
}
