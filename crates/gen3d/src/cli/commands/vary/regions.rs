//! The regions that were asked for, and their weights.

use std::path::Path;

use alpha_clip::{Picture, Plane, Region};
use anyhow::{Context as _, anyhow};
use serde::Serialize;

use super::args::WeightedRegions;
use super::record::SourceFile;

/// One region and its part in the mixture.
pub(super) struct Weighted {
    pub(super) region: Region,
    pub(super) weight: f64,
    pub(super) record: RegionRecord,
}

/// How the record of a run says it.
#[derive(Clone, Debug, Serialize)]
pub(super) struct RegionRecord {
    /// `mask`, `box`, `points`, `polygon`, `rle`, `whole` or `foreground`.
    pub(super) kind: &'static str,
    /// The numbers, as they were given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) given: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) file: Option<SourceFile>,
    pub(super) weight: f64,
}

impl WeightedRegions {
    /// Whether any region was asked for.
    pub(super) fn any(&self) -> bool {
        let lists = [
            &self.mask,
            &self.bounds,
            &self.point,
            &self.polygon,
            &self.rle,
        ];
        lists.iter().any(|list| !list.is_empty())
    }

    /// The regions that were asked for; none if none were.
    ///
    /// # Errors
    /// Says the flag, and the file where there is one.
    pub(super) fn read(&self) -> anyhow::Result<Vec<Weighted>> {
        let mut all = Vec::new();
        for (kind, given, open) in [
            (
                "mask",
                &self.mask,
                read_mask as fn(&str) -> alpha_clip::Result<Region>,
            ),
            ("rle", &self.rle, |path| Region::read_rle(path)),
        ] {
            for given in given {
                let (path, weight) = weighted(given, true);
                let region = open(path).with_context(|| format!("--{kind}"))?;
                all.push(Weighted {
                    region,
                    weight,
                    record: RegionRecord {
                        kind,
                        given: None,
                        file: Some(SourceFile::of(Path::new(path))?),
                        weight,
                    },
                });
            }
        }
        for (kind, given, parse) in [
            (
                "box",
                &self.bounds,
                Region::parse_box as fn(&str) -> alpha_clip::Result<Region>,
            ),
            ("polygon", &self.polygon, Region::parse_polygon),
        ] {
            for given in given {
                let (numbers, weight) = weighted(given, false);
                let region = parse(numbers).with_context(|| format!("--{kind}"))?;
                let given = Some(numbers.to_owned());
                all.push(Weighted::plain(region, kind, given, weight));
            }
        }
        if !self.point.is_empty() {
            let region = Region::parse_points(&self.point).context("--point")?;
            let given = Some(self.point.join(" "));
            all.push(Weighted::plain(region, "points", given, 1.));
        }
        let wrong = all
            .iter()
            .map(|region| region.weight)
            .find(|w| !w.is_finite() || *w < 0.);
        if let Some(weight) = wrong {
            return Err(anyhow!(
                "a region has the weight {weight}; give a number from 0 on"
            ));
        }
        if !all.is_empty() && all.iter().all(|region| region.weight == 0.) {
            return Err(anyhow!(
                "all regions have the weight 0; give one of them another"
            ));
        }
        Ok(all)
    }
}

impl Weighted {
    pub(super) fn plain(
        region: Region,
        kind: &'static str,
        given: Option<String>,
        weight: f64,
    ) -> Self {
        Self {
            region,
            weight,
            record: RegionRecord {
                kind,
                given,
                file: None,
                weight,
            },
        }
    }
}

fn read_mask(path: &str) -> alpha_clip::Result<Region> {
    Region::read_mask(path)
}

/// What stands before a last `:` and the weight behind it; 1 where there is none. A file whose name
/// ends so is taken by that name.
fn weighted(given: &str, is_file: bool) -> (&str, f64) {
    let parts = given.rsplit_once(':');
    let split = parts.and_then(|(what, weight)| Some((what, weight.trim().parse().ok()?)));
    let is_name = is_file && Path::new(given).exists();
    match split.filter(|(what, _)| !what.is_empty() && !is_name) {
        Some(parts) => parts,
        None => (given, 1.),
    }
}

/// Each region as a plane of the picture's size.
///
/// # Errors
/// If one covers nothing of the picture, or is of other proportions.
pub(super) fn planes(regions: &[Weighted], picture: &Picture) -> alpha_clip::Result<Vec<Plane>> {
    regions
        .iter()
        .map(|weighted| weighted.region.plane(picture.width(), picture.height()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_behind_the_last_colon_is_the_weight() {
        assert_eq!(weighted("a.png:0.7", true), ("a.png", 0.7));
        assert_eq!(weighted("a.png", true), ("a.png", 1.));
        assert_eq!(weighted("C:\\a.png", true), ("C:\\a.png", 1.));
        assert_eq!(weighted("C:\\a.png:2", true), ("C:\\a.png", 2.));
        assert_eq!(weighted(":3", true), (":3", 1.));
        assert_eq!(weighted("1,2,3,4:.5", false), ("1,2,3,4", 0.5));
        assert!(weighted("a.png:nan", true).1.is_nan());
    }

    #[test]
    fn a_file_that_is_called_so_is_meant() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a:2");
        std::fs::write(&path, "").unwrap();
        let path = path.display().to_string();
        assert_eq!(weighted(&path, true), (path.as_str(), 1.));
    }
}
