//! Names that weight files and training states refer to. None of them is ever imported or called;
//! the list keeps files that want more from being taken for plain weights.

/// Modules whose classes may appear: what PyTorch and the trainers around it put beside weights.
const MODULES: [&str; 24] = [
    "argparse",
    "collections",
    "datetime",
    "diffusers",
    "enum",
    "lightning",
    "lightning_fabric",
    "ml_collections",
    "numpy",
    "omegaconf",
    "open_clip",
    "pathlib",
    "pytorch_lightning",
    "timm",
    "torch.jit._pickle",
    "torch.nn",
    "torch.optim",
    "torch.storage",
    "torch._utils",
    "torch._tensor",
    "torchvision",
    "transformers",
    "typing",
    // Classes that a TorchScript archive brings along; its code is never read.
    "__torch__",
];

/// Builtin types.
const BUILTINS: [&str; 14] = [
    "bool",
    "bytearray",
    "bytes",
    "complex",
    "dict",
    "float",
    "frozenset",
    "int",
    "list",
    "object",
    "set",
    "slice",
    "str",
    "tuple",
];

/// Single names of larger modules.
const NAMES: [(&str, &str); 7] = [
    ("_codecs", "encode"),
    ("copyreg", "_reconstructor"),
    ("copy_reg", "_reconstructor"),
    ("torch", "Size"),
    ("torch", "Tensor"),
    ("torch", "device"),
    ("torch.serialization", "_get_layout"),
];

/// Element types and layouts, all in `torch`.
const TYPES: [&str; 21] = [
    "float64",
    "float32",
    "float16",
    "bfloat16",
    "float",
    "double",
    "half",
    "int64",
    "int32",
    "int16",
    "int8",
    "uint8",
    "uint16",
    "uint32",
    "uint64",
    "bool",
    "complex64",
    "complex128",
    "strided",
    "float8_e4m3fn",
    "float8_e5m2",
];

/// Names that reach beyond data in the modules above.
const NEVER: [&str; 2] = ["_load_from_bytes", "_import_dotted_name"];

/// Whether a weight file may name this.
pub(super) fn allowed(module: &str, name: &str) -> bool {
    let inside = |root: &str| {
        module
            .strip_prefix(root)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    if NEVER.contains(&name) || name.contains('.') {
        return false;
    }
    MODULES.iter().any(|root| inside(root))
        || matches!(module, "builtins" | "__builtin__") && BUILTINS.contains(&name)
        || NAMES.contains(&(module, name))
        || module == "torch" && TYPES.contains(&name)
        || matches!(module, "torch" | "torch.cuda") && is_storage(name)
}

fn is_storage(name: &str) -> bool {
    name.strip_suffix("Storage")
        .is_some_and(|kind| kind.chars().all(char::is_alphanumeric))
}

#[cfg(test)]
mod tests {
    use super::allowed;

    #[test]
    fn code_is_not_on_the_list() {
        for (module, name) in [
            ("os", "system"),
            ("posix", "system"),
            ("builtins", "eval"),
            ("builtins", "getattr"),
            ("__builtin__", "exec"),
            ("torch", "load"),
            ("torch.hub", "load"),
            ("torchvisionx", "x"),
            ("torch.storage", "_load_from_bytes"),
            ("collections", "abc.os"),
            ("subprocess", "Popen"),
        ] {
            assert!(!allowed(module, name), "{module}.{name}");
        }
        for (module, name) in [
            ("collections", "OrderedDict"),
            ("torch", "HalfStorage"),
            ("torch", "BFloat16Storage"),
            ("torch._utils", "_rebuild_tensor_v2"),
            ("torch.nn.modules.linear", "Linear"),
            ("numpy.core.multiarray", "scalar"),
            ("__torch__.clip.model", "CLIP"),
            (
                "pytorch_lightning.callbacks.model_checkpoint",
                "ModelCheckpoint",
            ),
        ] {
            assert!(allowed(module, name), "{module}.{name}");
        }
    }
}
