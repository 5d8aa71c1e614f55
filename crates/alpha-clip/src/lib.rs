//! CLIP and Alpha-CLIP towers, tokenizer, regions, preprocessing and zero-shot head.
