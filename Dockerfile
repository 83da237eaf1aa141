# One image for every part of Veil: Airflow, Spark's master and workers, and the command line.
FROM python:3.11-slim-bookworm

# OpenCV links against GL, GLib and XCB although nothing is shown
RUN apt-get update \
 && apt-get install -y --no-install-recommends openjdk-17-jre-headless libgl1 libglib2.0-0 libxcb1 \
 && rm -rf /var/lib/apt/lists/*

# the same version as in the Makefile
RUN pip install --no-cache-dir uv==0.13.9

ENV UV_LINK_MODE=copy \
    UV_COMPILE_BYTECODE=1 \
    UV_NO_CACHE=1 \
    UV_PYTHON=/usr/local/bin/python3.11 \
    UV_PYTHON_DOWNLOADS=never \
    PATH=/opt/veil/.venv/bin:$PATH \
    SPARK_HOME=/opt/veil/.venv/lib/python3.11/site-packages/pyspark \
    AIRFLOW_HOME=/var/lib/veil/airflow \
    GX_ANALYTICS_ENABLED=False \
    VEIL_HOME=/var/lib/veil \
    VEIL_KEY_FILE=/var/lib/veil/keys/zone.key \
    VEIL_LAKE=/lake \
    VEIL_CONFIG=/etc/veil/config \
    VEIL_JARS=/opt/veil/jars \
    VEIL_JOBS=/opt/veil/jobs

WORKDIR /opt/veil
# the packages in a layer of their own: a change of the code does not fetch them again
COPY pyproject.toml uv.lock ./
RUN uv sync --frozen --no-dev --no-install-project
COPY . .
# what comes from the checkout, or was fetched by root, may be closed to others
RUN uv sync --frozen --no-dev \
 && veil jars \
 && chmod -R a+rX dags expectations jars jobs plugins

# A named volume takes its owner and mode from the folder that it is first mounted on.
RUN useradd --uid 10001 --create-home veil \
 && install --directory --owner=veil --group=veil --mode=0700 \
    /var/lib/veil /var/lib/veil/airflow /var/lib/veil/keys /lake /scratch

USER veil
WORKDIR /home/veil
