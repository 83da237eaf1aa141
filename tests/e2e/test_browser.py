"""Airflow's pages in a browser: DAGs, a finished run's tasks, its report, and two people who raise a budget."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from tests.e2e.conftest import ENDED, Finished, open_embedded, task_states
from veil.embedded.rest import Airflow

pytestmark = pytest.mark.skipif(
    not (shutil.which("chromium") and shutil.which("chromedriver")),
    reason="Chromium and its driver are not installed: apt-get install chromium chromium-driver",
)
SECONDS = 60
WAITING = ("deferred", "awaiting_input")
FLAGS = (
    "--headless=new",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1600,1000",
)


@pytest.fixture(scope="module")
def browser(finished: Finished, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A browser that is logged in."""
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = str(shutil.which("chromium"))
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('browser')}"):
        options.add_argument(flag)
    if os.geteuid() == 0:
        options.add_argument("--no-sandbox")  # Chromium does not run as root otherwise
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options, Service(shutil.which("chromedriver")))
    driver.implicitly_wait(SECONDS)
    try:
        log_in(driver, finished, "admin")
        yield driver
    finally:
        driver.quit()


def log_in(driver: Any, finished: Finished, user: str) -> None:
    from selenium.webdriver.common.by import By

    driver.delete_all_cookies()
    driver.get(finished.url)
    driver.find_element(By.NAME, "username").send_keys(user)
    driver.find_element(By.NAME, "password").send_keys(finished.password_of(user))
    driver.find_element(By.CSS_SELECTOR, "button[type=submit]").click()
    shows(driver, "Dags")
    complaints(driver)  # a page that nobody is logged in to says so in the console


def shows(driver: Any, text: str) -> None:
    """Wait until a page shows a text."""
    from selenium.webdriver.common.by import By
    from selenium.webdriver.support import expected_conditions
    from selenium.webdriver.support.ui import WebDriverWait

    found = expected_conditions.text_to_be_present_in_element((By.TAG_NAME, "body"), text)
    WebDriverWait(driver, SECONDS).until(found, f"the page does not show {text!r}")


def complaints(driver: Any) -> list[str]:
    """What the page wrote to its console as an error since the last time."""
    return [entry["message"] for entry in driver.get_log("browser") if entry["level"] == "SEVERE"]


def picture(driver: Any, name: str) -> None:
    """Keep what is seen where somebody wants to look at it."""
    if folder := os.environ.get("VEIL_TEST_SCREENSHOTS"):
        driver.save_screenshot(str(Path(folder) / f"{name}.png"))


def test_the_dags_are_listed_by_what_they_do(browser: Any, finished: Finished) -> None:
    browser.get(f"{finished.url}/dags")
    for title in ("Pipeline: drops to published data", "Landing"):
        shows(browser, title)
    picture(browser, "dags")
    assert complaints(browser) == []


def test_a_finished_run_shows_its_graph(browser: Any, finished: Finished) -> None:
    from selenium.webdriver.common.by import By
    from selenium.webdriver.support.ui import WebDriverWait

    def graph(driver: Any) -> str:
        return "\n".join(node.text for node in driver.find_elements(By.CLASS_NAME, "react-flow__node"))

    browser.get(f"{finished.url}/dags/pipeline/runs/{quote(finished.run)}")
    browser.find_element(By.CSS_SELECTOR, "[title^='Show Graph'], [aria-label^='Show Graph']").click()
    WebDriverWait(browser, SECONDS).until(
        lambda driver: all(name in graph(driver) for name in ("ingest", "research", "releases", "report")),
        "the graph does not show the pipeline's tasks and groups",
    )
    # a task's state is part of its node once the run's states have come
    WebDriverWait(browser, SECONDS).until(lambda driver: "success" in graph(driver), "no node is green")
    picture(browser, "run")
    assert complaints(browser) == []


def test_the_report_of_a_run_is_a_link_away(browser: Any, finished: Finished) -> None:
    from selenium.webdriver.common.by import By

    browser.get(f"{finished.url}/dags/pipeline/runs/{quote(finished.run)}")
    # beside a wide graph the tab is an icon: its title is there at any width
    browser.find_element(By.CSS_SELECTOR, "a[title='Veil report']").click()
    browser.switch_to.frame(browser.find_element(By.TAG_NAME, "iframe"))
    shows(browser, "known-identifier")
    picture(browser, "report")
    browser.switch_to.default_content()
    assert complaints(browser) == []


def test_two_people_raise_a_budget(browser: Any, finished: Finished, monkeypatch: pytest.MonkeyPatch) -> None:
    from selenium.webdriver.common.by import By

    home = open_embedded(finished, monkeypatch)
    client = Airflow(home.airflow_url, "admin", finished.password)
    conf = {"block": "ehr/lifetime", "cap": 1.5, "reason": "agreed by the ethics board"}
    run = client.post("/dags/raise_budget/dagRuns", {"conf": conf, "logical_date": None})["dag_run_id"]
    for task, user in (("first", "admin"), ("second", "officer")):
        while task_states(client, run, "raise_budget")[task] not in WAITING:
            time.sleep(1)
        log_in(browser, finished, user)
        browser.get(f"{finished.url}/dags/raise_budget/runs/{quote(run)}/tasks/{task}/required_actions")
        shows(browser, "May the cap of ehr/lifetime rise to rho = 1.5?")
        shows(browser, "agreed by the ethics board")
        picture(browser, f"raise-{task}")
        browser.find_element(By.XPATH, "//button[normalize-space()='Approve']").click()
    while (state := task_states(client, run, "raise_budget")["enter"]) not in ENDED:
        time.sleep(1)
    assert state == "success"
    (block,) = json.loads(finished.veil("budget", "show", "--json").stdout)[-1:]
    assert (block["block_id"], block["cap"]) == ("ehr/lifetime", 1_500_000_000)
    assert "admin" in finished.veil("budget", "history").stdout
