"""The page's style sheet, added to Gradio's."""

CSS = """
.gradio-container { max-width: 1400px !important; margin: auto; }
.bar { height: 8px; border-radius: 4px; background: var(--border-color-primary); }
.bar > div { height: 8px; border-radius: 4px; background: var(--color-accent); }
#screen img { width: 100%; }
/* Seen wherever the page is scrolled to. */
#trouble:has(p) { position: fixed; inset: 0 0 auto 0; z-index: 1001; width: auto; }
#hint { padding: 0; }
#confidence { padding-top: 30px; }
#trouble p {
    margin: 0; padding: 10px 14px; border-radius: 6px; border-left: 4px solid #c0392b;
    background: #fdecea; color: #611a15;
}
@media (max-width: 768px) {
    #actions {
        position: fixed; inset: auto 0 0 0; z-index: 1000; padding: 8px; gap: 6px;
        background: var(--body-background-fill); flex-wrap: nowrap; align-items: stretch;
        border-top: 1px solid var(--border-color-primary);
    }
    #actions button {
        min-width: 0 !important; height: 60px; padding: 10px 4px; font-size: 14px;
    }
    #hint {
        position: fixed; inset: auto 0 76px 0; z-index: 1000; padding: 6px 12px;
        background: var(--body-background-fill); font-size: 14px;
        border-top: 1px solid var(--border-color-primary);
    }
    #slider, #state { scroll-margin-bottom: 130px; }
    .gradio-container { padding-bottom: 130px !important; }
}
#gallery .grid-wrap { height: auto; min-height: 0; max-height: 300px; }
#gallery .grid-container { grid-template-columns: repeat(4, minmax(0, 1fr)); }
#gallery .gallery-item, #gallery .thumbnail-item { min-width: 0; }
#gallery .caption-label {
    inset: auto 0 0 0; max-width: none; margin: 0; padding: 2px 4px; border-radius: 0;
    font-size: 12px; line-height: 1.2; text-align: center;
    white-space: normal; overflow-wrap: anywhere;
}
footer { display: none !important; }
"""
