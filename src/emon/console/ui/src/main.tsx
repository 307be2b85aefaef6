import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./App.tsx";
import { startSound } from "./parts/sound.ts";
import { startTheme } from "./parts/theme.ts";
import "./styles/index.css";

startTheme();
startSound();
createRoot(document.getElementById("root")!).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
