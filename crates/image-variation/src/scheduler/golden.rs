//! Every scheduler against diffusers, with the manifest's stand-in for the network.

use candle_core::Tensor;
use serde_json::Value;

use super::*;
use crate::testing::golden::{self, assert_relative, flat, tensor, values};

fn config(case: &Value) -> SchedulerConfig {
    let mut config = case["config"].clone();
    config["_class_name"] = case["scheduler"].clone();
    SchedulerConfig::from_json(&config, "scheduler_config.json", None).unwrap()
}

/// 0.3 · input + 0.1 · sin(t / 100), read as whatever the network predicts.
fn denoiser(input: &Tensor, timestep: f64) -> Tensor {
    let shift = f64::from((0.1 * (timestep / 100.).sin()) as f32);
    ((input * f64::from(0.3f32)).unwrap() + shift).unwrap()
}

fn run(scheduler: &mut Scheduler) -> Vec<Tensor> {
    let noise = tensor("sched/noise");
    let mut x = (tensor("sched/init") * scheduler.init_noise_sigma()).unwrap();
    let mut steps = Vec::new();
    while let Some(timestep) = scheduler.timestep() {
        let index = scheduler.index();
        let output = denoiser(&scheduler.scale_input(&x).unwrap(), timestep);
        let mut draw = || Ok(noise.get(index)?);
        x = scheduler.step(&output, &x, &mut draw).unwrap();
        steps.push(x.clone());
    }
    steps
}

#[test]
fn every_case_of_the_manifest() {
    let manifest = golden::json("manifest.json.gz");
    let mut compared = 0;
    for (name, case) in manifest["scheduler_cases"].as_object().unwrap() {
        let config = config(case);
        let eta = case["eta"].as_f64().unwrap_or(0.);
        for (count, sigma) in case["init_noise_sigma"].as_object().unwrap() {
            let place = format!("sched/{name}/n{count}");
            let mut scheduler = Scheduler::new(&config, count.parse().unwrap(), eta).unwrap();
            let sigma = sigma.as_f64().unwrap();
            let error = (scheduler.init_noise_sigma() - sigma).abs() / sigma;
            assert!(error < 1e-6, "{place}: initial noise is off by {error:e}");

            let timesteps: Vec<f32> = scheduler.timesteps().iter().map(|&t| t as f32).collect();
            let wanted = values(&format!("{place}/timesteps"));
            let tolerance = &manifest["tolerance"][format!("{place}/timesteps")][0];
            let tolerance = tolerance.as_f64().unwrap_or(0.) as f32;
            golden::assert_within(&timesteps, &wanted, tolerance, &place);
            if golden::has(&format!("{place}/sigmas")) {
                let sigmas: Vec<f32> = scheduler.sigmas().iter().map(|&s| s as f32).collect();
                let pairs = sigmas.iter().zip(values(&format!("{place}/sigmas")));
                let error = pairs
                    .map(|(a, b)| (a - b).abs() / b.max(1e-9))
                    .fold(0., f32::max);
                assert!(error < 2e-4, "{place}: noise levels are off by {error}");
            }

            let stochastic = case["uses_noise"].as_bool().unwrap();
            assert_eq!(scheduler.is_stochastic(), stochastic, "{place}");
            let steps = run(&mut scheduler);
            let (all, last) = (format!("{place}/steps"), format!("{place}/final"));
            if golden::has(&all) {
                let wanted = tensor(&all);
                assert_eq!(steps.len(), wanted.dim(0).unwrap(), "{place}");
                for (i, step) in steps.iter().enumerate() {
                    let wanted = flat(&wanted.get(i).unwrap());
                    let error = golden::relative(&flat(step), &wanted);
                    assert!(error < 1e-5, "{place}: step {i} is off by {error:e}");
                }
            } else {
                assert_relative(steps.last().unwrap(), &last, 1e-5);
            }
            compared += 1;
        }
    }
    assert_eq!(compared, 59 * 3 + 2, "cases");
}

#[test]
fn a_picture_is_noised_for_the_timestep_that_a_run_starts_at() {
    let manifest = golden::json("manifest.json.gz");
    let cases = manifest["scheduler_cases"].as_object().unwrap();
    let (clean, noise) = (tensor("i2i/z0"), tensor("i2i/noise"));
    for run in manifest["img2img"].as_array().unwrap() {
        let name = run["name"].as_str().unwrap();
        let class = run["scheduler"].as_str().unwrap();
        // The configuration of Stable Diffusion: the case of this class that names it.
        let case = [
            "pndm_sd",
            "ddim_sd",
            "euler_sd_leading",
            "euler_a_sd_leading",
            "dpmpp2m_sd_leading",
            "unipc_sd_leading",
            "lcm",
        ]
        .into_iter()
        .map(|case| &cases[case])
        .find(|case| case["scheduler"] == class)
        .unwrap();
        let steps = run["steps"].as_u64().unwrap() as usize;
        let scheduler = Scheduler::new(&config(case), steps, 0.).unwrap();
        let start = Scheduler::start_index(steps, run["strength"].as_f64().unwrap());
        assert_eq!(start as u64, run["t_start"].as_u64().unwrap(), "{name}");
        assert_eq!(
            scheduler.timesteps()[start],
            run["first_timestep"].as_f64().unwrap()
        );
        let calls = scheduler.timesteps().len() - start;
        assert_eq!(calls as u64, run["n_run"].as_u64().unwrap(), "{name}");
        let noisy = scheduler.add_noise(&clean, &noise, start).unwrap();
        assert_relative(&noisy, &format!("{name}/noisy"), 1e-5);
    }
}

#[test]
fn a_run_can_be_started_again() {
    for kind in SchedulerKind::ALL {
        let config = SchedulerConfig {
            kind,
            ..SchedulerConfig::stable_diffusion()
        };
        let mut scheduler = Scheduler::new(&config, 8, 0.).unwrap();
        let first = run(&mut scheduler);
        assert!(
            scheduler
                .step(&first[0], &first[0], &mut || unreachable!())
                .is_err()
        );
        scheduler.begin_at(0);
        let again = run(&mut scheduler);
        assert_eq!(flat(&first[7]), flat(&again[7]), "{kind}");
        scheduler.begin_at(3);
        assert_eq!(run(&mut scheduler).len(), first.len() - 3, "{kind}");
    }
}

#[test]
fn settings_that_cannot_be_are_refused() {
    let config = SchedulerConfig::stable_diffusion();
    for (steps, eta) in [(0, 0.), (1001, 0.), (10, -0.1), (10, 1.5), (10, f64::NAN)] {
        assert!(
            Scheduler::new(&config, steps, eta).is_err(),
            "{steps} {eta}"
        );
    }
    assert_eq!(Scheduler::start_index(10, 2.), 0);
    assert_eq!(Scheduler::start_index(10, 0.), 10);
    assert_eq!(Scheduler::start_index(10, f64::NAN), 10);
}
