//! The report as one page that needs no other file.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use image::{ImageFormat, RgbImage};

use crate::betas::Betas;
use crate::decode::{Decoded, Score};
use crate::report::draw::Figure;
use crate::report::metrics::code;
use crate::report::sheet::Sheet;
use crate::report::{ReportContext, by_pixcorr};
use crate::{Error, Result};

/// What goes onto the page.
pub(super) struct Page<'a> {
    pub(super) context: &'a ReportContext,
    pub(super) betas: &'a Betas,
    pub(super) decoded: &'a Decoded,
    pub(super) scores: &'a Figure,
    pub(super) confusion: Option<&'a Figure>,
    pub(super) sheet: Option<&'a Sheet>,
}

const STYLE: &str = "
:root{--ink:#212529;--faint:#5c656d;--rule:#dee2e6;--blue:#1f62a8;--warn:#fff6e0;--warn-rule:#e8a33d}
*{box-sizing:border-box}
body{font:16px/1.5 system-ui,'Segoe UI','DejaVu Sans',sans-serif;color:var(--ink);background:#f6f7f9;margin:0}
main{max-width:1240px;margin:0 auto;padding:40px 24px 80px}
h1{font-size:30px;line-height:1.2;margin:0 0 4px}
h2{font-size:20px;margin:44px 0 12px}
.sub{color:var(--faint);margin:0 0 24px}
section.card{background:#fff;border:1px solid var(--rule);border-radius:10px;padding:20px 24px;margin:14px 0;overflow-x:auto}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
th{font-weight:600;text-align:left;color:var(--faint);font-size:14px}
th,td{padding:7px 14px 7px 0;border-bottom:1px solid var(--rule);vertical-align:top}
tr:last-child td{border-bottom:0}
td.n,th.n{text-align:right}
td.big{font-size:18px;font-weight:600;color:var(--blue)}
.warn{background:var(--warn);border:1px solid var(--warn-rule);border-radius:10px;padding:14px 20px;margin:14px 0}
.warn p{margin:4px 0}
img{max-width:100%;height:auto;display:block}
.two{display:flex;flex-wrap:wrap;gap:14px}
.two section{flex:1 1 440px;margin:0}
details summary{cursor:pointer;color:var(--blue)}
footer{color:var(--faint);font-size:14px;margin-top:48px}
td.wrong{color:#b02a37}
";

/// The page as HTML.
pub(super) fn page(page: &Page<'_>) -> Result<String> {
    let Page {
        context,
        betas,
        decoded,
        ..
    } = page;
    let title = format!("Decoding {} — subject {}", context.study, context.subject);
    let mut out = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n<title>{0}</title>\n<style>{STYLE}</style></head>\n<body><main>\n<h1>{0}</h1>\n<p class=\"sub\">{1} held-out trials of {2} runs, {3} voxels; {4}.</p>\n",
        escaped(&title),
        decoded.trials.len(),
        betas.runs().len(),
        betas.n_voxels(),
        escaped(&decoded.split),
    );
    if !decoded.warnings.is_empty() {
        out += "<div class=\"warn\">";
        for warning in &decoded.warnings {
            out += &format!("<p>{}</p>", escaped(warning));
        }
        out += "</div>\n";
    }
    out += "<h2>Scores</h2>\n<section class=\"card\">";
    out += &scores(decoded);
    out += "</section>\n<div class=\"two\"><section class=\"card\">";
    out += &svg(page.scores, "Scores with chance and the shuffled control");
    out += "</section>";
    if let Some(confusion) = page.confusion {
        out += "<section class=\"card\">";
        out += &svg(confusion, "Conditions shown and named");
        out += "</section>";
    }
    out += "</div>\n";
    if let Some(sheet) = page.sheet {
        out += "<h2>Reconstructions</h2>\n<section class=\"card\">";
        let alt = format!(
            "{} of {} pairs of stimulus and reconstruction",
            sheet.n_shown, sheet.n_trials
        );
        out += &format!(
            "<img alt=\"{}\" src=\"data:image/png;base64,{}\">",
            escaped(&alt),
            png(&sheet.image)?
        );
        out += "</section>\n";
    }
    out += "<h2>How it was done</h2>\n<section class=\"card\">";
    out += &method(page);
    out += "</section>\n<h2>Trials</h2>\n<section class=\"card\">";
    out += &trials(page);
    out += "</section>\n<footer>Made by Fusiform. The same numbers are in metrics.json and trials.tsv.</footer>\n</main></body></html>\n";
    Ok(out)
}

fn scores(decoded: &Decoded) -> String {
    let meanings = [
        "share of trials whose condition is named",
        "Pearson’s r of reconstruction and stimulus; chance is what the mean training picture gets",
        "SSIM on grey pictures; chance is what the mean training picture gets",
        "share of other candidates that are less like the reconstruction",
        "share of trials whose stimulus is the likest candidate",
    ];
    let mut out = "<table><tr><th>Score</th><th class=\"n\">Value</th><th class=\"n\">Chance</th><th class=\"n\">Shuffled brain (SD)</th><th class=\"n\">p</th><th>Meaning</th></tr>".to_owned();
    for ((name, score), meaning) in decoded.scores.named().into_iter().zip(meanings) {
        let Some(Score {
            value,
            chance,
            shuffled,
            shuffled_sd,
            p,
        }) = score
        else {
            continue;
        };
        let control = if shuffled.is_finite() {
            format!("{shuffled:.3} ({shuffled_sd:.3})")
        } else {
            "–".into()
        };
        let p = if shuffled.is_finite() {
            format!("{p:.3}")
        } else {
            "–".into()
        };
        out += &format!(
            "<tr><td>{name}</td><td class=\"n big\">{value:.3}</td><td class=\"n\">{chance:.3}</td><td class=\"n\">{control}</td><td class=\"n\">{p}</td><td>{meaning}</td></tr>"
        );
    }
    out + "</table>"
}

fn method(page: &Page<'_>) -> String {
    let Page {
        context,
        betas,
        decoded,
        ..
    } = page;
    let plan = &context.plan;
    let mut rows = vec![
        ("Responses", betas.method.clone()),
        ("Split", decoded.split.clone()),
        ("Runs", betas.runs().join(", ")),
    ];
    if decoded.scores.pixcorr.is_some() {
        let alphas: Vec<String> = decoded.alphas.iter().map(|a| format!("{a}")).collect();
        rows.push(("Picture code", code(plan.code)));
        rows.push((
            "Pictures",
            format!(
                "ridge regression; a penalty for each dimension of the code (multiple of the mean kernel diagonal), chosen inside the training runs; medians by fold: {}",
                alphas.join(", ")
            ),
        ));
    }
    if decoded.scores.accuracy.is_some() {
        rows.push((
            "Conditions",
            "linear discriminant analysis, Ledoit–Wolf shrinkage, fitted inside the training runs"
                .into(),
        ));
    }
    rows.push((
        "Control",
        format!("{} shuffles of trials within their run, the whole pipeline refitted; p = (1 + shuffles at least as good) / (1 + shuffles)", plan.n_shuffles),
    ));
    rows.push((
        "Stimuli seen in training",
        if decoded.stimuli_seen_in_training {
            "yes".into()
        } else {
            "no".into()
        },
    ));
    rows.push(("Repeats", "single trials, not averaged".into()));
    rows.push(("Seed", plan.seed.to_string()));
    rows.push((
        "Computed",
        format!("on {} in {:.1} s", decoded.device, decoded.seconds),
    ));
    let rows: String = rows
        .iter()
        .map(|(name, what)| format!("<tr><th>{name}</th><td>{}</td></tr>", escaped(what)))
        .collect();
    format!("<table>{rows}</table>")
}

fn trials(page: &Page<'_>) -> String {
    let decoded = page.decoded;
    let pictured = decoded.scores.pixcorr.is_some();
    let mut order: Vec<_> = if pictured {
        by_pixcorr(&decoded.trials)
    } else {
        Vec::new()
    };
    order.extend(
        decoded
            .trials
            .iter()
            .filter(|t| !pictured || t.reconstruction.is_none()),
    );
    let mut out = format!(
        "<details><summary>{} trials{}</summary><table><tr><th class=\"n\">Trial</th><th>Left out</th><th>Shown</th><th>Named</th><th class=\"n\">r</th><th class=\"n\">SSIM</th><th class=\"n\">Two-way</th><th class=\"n\">Rank</th></tr>",
        decoded.trials.len(),
        if pictured {
            ", best pixel correlation first"
        } else {
            ""
        }
    );
    let number = |v: Option<f64>| v.map_or_else(|| "–".to_owned(), |v| format!("{v:.3}"));
    for t in order {
        let named = t.predicted_condition.as_deref().unwrap_or("–");
        let wrong = t
            .predicted_condition
            .as_ref()
            .is_some_and(|named| *named != t.condition);
        let rank = match (t.retrieval_rank, t.n_candidates) {
            (Some(rank), Some(n)) => format!("{rank} of {n}"),
            _ => "–".to_owned(),
        };
        out += &format!(
            "<tr><td class=\"n\">{}</td><td>{}</td><td>{}</td><td{}>{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td><td class=\"n\">{rank}</td></tr>",
            t.trial,
            escaped(&t.fold),
            escaped(t.stimulus_id.as_deref().unwrap_or(&t.condition)),
            if wrong { " class=\"wrong\"" } else { "" },
            escaped(named),
            number(t.pixcorr),
            number(t.ssim),
            number(t.two_way),
        );
    }
    out + "</table></details>"
}

fn svg(figure: &Figure, alt: &str) -> String {
    format!(
        "<img alt=\"{}\" src=\"data:image/svg+xml;base64,{}\">",
        escaped(alt),
        STANDARD.encode(&figure.svg)
    )
}

fn png(picture: &RgbImage) -> Result<String> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    picture
        .write_to(&mut bytes, ImageFormat::Png)
        .map_err(|e| Error::data(format!("a picture cannot be put into the report: {e}")))?;
    Ok(STANDARD.encode(bytes.into_inner()))
}

/// Text made harmless for HTML.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}
