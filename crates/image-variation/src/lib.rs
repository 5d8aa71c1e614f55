//! Stable Diffusion image variation conditioned by Alpha-CLIP.
