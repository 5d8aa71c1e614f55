//! The reference pipeline as files, in every form that pipelines come in.

use std::io::{Cursor, Write};
use std::path::{Path, PathBuf};

use candle_core::{DType, Device, Tensor};
use checkpoint::{Checkpoint, Lora};
use serde_json::{Value, json};
use tempfile::TempDir;
use zip::CompressionMethod;
use zip::write::{SimpleFileOptions, ZipWriter};

use super::golden;

/// A file or folder that is removed with this.
pub(crate) struct Fixture {
    folder: TempDir,
    path: PathBuf,
}

const WEIGHTS: [(&str, &str); 3] = [
    ("unet", "diffusion_pytorch_model.safetensors"),
    ("vae", "diffusion_pytorch_model.safetensors"),
    ("image_encoder", "model.safetensors"),
];

impl Fixture {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pipeline");
        Self { folder, path }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The pipeline's folder with safetensors files.
    pub(crate) fn folder() -> Self {
        let out = Self::new();
        for (part, file) in WEIGHTS {
            let name = format!("pipeline/{part}/{file}");
            out.put(&format!("{part}/{file}"), &golden::weights(&name));
            out.copy(
                &format!("pipeline/{part}/config.json"),
                &format!("{part}/config.json"),
            );
        }
        for name in [
            "model_index.json",
            "scheduler/scheduler_config.json",
            "feature_extractor/preprocessor_config.json",
        ] {
            out.copy(&format!("pipeline/{name}"), name);
        }
        out
    }

    /// UNet and VAE as PyTorch files with the names and short configurations of 2022; there is no
    /// image encoder.
    pub(crate) fn old_folder() -> Self {
        let out = Self::new();
        for (part, file) in &WEIGHTS[..2] {
            let tensors = all(&golden::part(&format!("pipeline/{part}"), file));
            let tensors = tensors
                .into_iter()
                .map(|(name, tensor)| (old_name(&name), tensor));
            let file = torch_file(tensors.collect(), false);
            out.put(&format!("{part}/diffusion_pytorch_model.bin"), &file);
            out.copy(
                &format!("oldnames/{part}/config.json"),
                &format!("{part}/config.json"),
            );
        }
        let scheduler = "scheduler/scheduler_config.json";
        out.copy(&format!("oldnames/{scheduler}"), scheduler);
        out
    }

    /// Everything in one PyTorch file with the names of the latent diffusion code. Its
    /// configurations lie in the folder [`configs`](Self::configs).
    pub(crate) fn single_file() -> Self {
        let mut out = Self::new();
        let names = golden::json("ldm_to_diffusers.json.gz");
        let mut tensors = Vec::new();
        for (part, file) in &WEIGHTS[..2] {
            let weights = golden::part(&format!("pipeline/{part}"), file);
            for (ldm, theirs) in names[part].as_object().unwrap() {
                let tensor = read(&weights, theirs.as_str().unwrap());
                // 1×1 convolutions, where diffusers has linear layers.
                let attention = ldm.contains(".mid.attn_1.") && tensor.rank() == 2;
                let tensor = match attention {
                    true => tensor.unsqueeze(2).unwrap().unsqueeze(3).unwrap(),
                    false => tensor,
                };
                tensors.push((ldm.clone(), tensor));
            }
        }
        let encoder = golden::part("pipeline/image_encoder", "model.safetensors");
        let encoder = all(&encoder.clip(Lora::Merge).unwrap());
        let named = |(name, tensor)| (format!("cond_stage_model.model.{name}"), tensor);
        tensors.extend(encoder.into_iter().map(named));
        let betas = Tensor::zeros(1000, DType::F32, &Device::Cpu).unwrap();
        tensors.push(("betas".into(), betas));
        for part in ["unet", "vae", "image_encoder"] {
            out.copy(
                &format!("pipeline/{part}/config.json"),
                &format!("{part}/config.json"),
            );
        }
        out.path = out.folder.path().join("single.ckpt");
        std::fs::write(&out.path, torch_file(tensors, true)).unwrap();
        out
    }

    /// The folder with the configurations of a single file.
    pub(crate) fn configs(&self) -> PathBuf {
        self.folder.path().join("pipeline")
    }

    /// Adds the safety checker.
    pub(crate) fn with_safety_checker(self) -> Self {
        let file = "safety_checker/model.safetensors";
        self.put(file, &golden::weights(file));
        self.copy("safety_checker/config.json", "safety_checker/config.json");
        self
    }

    /// With another scheduler configuration.
    pub(crate) fn with_scheduler(self, class: &str, config: &Value) -> Self {
        let mut config = config.clone();
        config["_class_name"] = json!(class);
        self.put(
            "scheduler/scheduler_config.json",
            config.to_string().as_bytes(),
        );
        self
    }

    /// Writes a file of the pipeline's folder.
    pub(crate) fn put(&self, name: &str, data: &[u8]) {
        let path = self.folder.path().join("pipeline").join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, data).unwrap();
    }

    fn copy(&self, from: &str, to: &str) {
        self.put(to, &std::fs::read(golden::path(from)).unwrap());
    }
}

/// The image encoder under the names of an Alpha-CLIP fine-tune, with an alpha convolution of
/// zeros.
pub(crate) fn alpha_weights_of_zeros() -> Checkpoint {
    let encoder = golden::part("pipeline/image_encoder", "model.safetensors");
    let encoder = encoder.clip(Lora::Merge).unwrap();
    let mut tensors: Vec<(String, Tensor)> = all(&encoder)
        .into_iter()
        .map(|(name, tensor)| (name.strip_prefix("visual.").unwrap().to_owned(), tensor))
        .collect();
    let alpha = Tensor::zeros((64, 1, 16, 16), DType::F32, &Device::Cpu).unwrap();
    tensors.push(("conv1_alpha.weight".into(), alpha));
    Checkpoint::from_bytes(torch_file(tensors, false), "zeros.pth").unwrap()
}

fn read(file: &Checkpoint, name: &str) -> Tensor {
    file.tensor(name, DType::F32, &Device::Cpu).unwrap()
}

fn all(file: &Checkpoint) -> Vec<(String, Tensor)> {
    file.names()
        .map(|name| (name.to_owned(), read(file, name)))
        .collect()
}

fn old_name(name: &str) -> String {
    if !name.contains("mid_block.attentions.0") || name.contains("transformer_blocks") {
        return name.to_owned();
    }
    name.replace(".to_q.", ".query.")
        .replace(".to_k.", ".key.")
        .replace(".to_v.", ".value.")
        .replace(".to_out.0.", ".proj_attn.")
}

/// `torch.save` of these tensors, or of `{"global_step": 0, "state_dict": …}`.
fn torch_file(tensors: Vec<(String, Tensor)>, nested: bool) -> Vec<u8> {
    let text = |out: &mut Vec<u8>, text: &str| {
        out.push(b'X');
        out.extend((text.len() as u32).to_le_bytes());
        out.extend(text.as_bytes());
    };
    let number = |out: &mut Vec<u8>, n: usize| {
        out.push(b'J');
        out.extend((n as i32).to_le_bytes());
    };
    let tuple = |out: &mut Vec<u8>, numbers: &[usize]| {
        out.push(b'(');
        numbers.iter().for_each(|&n| number(out, n));
        out.push(b't');
    };
    let mut pickle = b"\x80\x02}(".to_vec();
    if nested {
        text(&mut pickle, "global_step");
        number(&mut pickle, 0);
        text(&mut pickle, "state_dict");
        pickle.extend(b"}(");
    }
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let stored = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    for (i, (name, tensor)) in tensors.iter().enumerate() {
        let values: Vec<f32> = golden::flat(tensor);
        text(&mut pickle, name);
        pickle.extend(b"ctorch._utils\n_rebuild_tensor_v2\n((");
        text(&mut pickle, "storage");
        pickle.extend(b"ctorch\nFloatStorage\n");
        text(&mut pickle, &i.to_string());
        text(&mut pickle, "cpu");
        number(&mut pickle, values.len());
        pickle.extend(b"tQK\0");
        tuple(&mut pickle, tensor.dims());
        tuple(&mut pickle, tensor.contiguous().unwrap().stride());
        pickle.extend(b"\x89ccollections\nOrderedDict\n)RtR");
        zip.start_file(format!("archive/data/{i}"), stored).unwrap();
        let bytes: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        zip.write_all(&bytes).unwrap();
    }
    pickle.extend(if nested { &b"uu."[..] } else { b"u." });
    zip.start_file("archive/data.pkl", stored).unwrap();
    zip.write_all(&pickle).unwrap();
    zip.finish().unwrap().into_inner()
}
